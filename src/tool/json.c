#include "tool/json.h"

void rg_json_string(struct rg_buf *out, const char *text)
{
    rg_buf_append_char(out, '"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            rg_buf_printf(out, "\\%c", c);
        else if (c < 0x20)
            rg_buf_printf(out, "\\u%04x", c);
        else
            rg_buf_append_char(out, (char)c);
    }
    rg_buf_append_char(out, '"');
}
