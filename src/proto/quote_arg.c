#include "proto/resp.h"

void rg_quote_arg(struct rg_buf *out, struct rg_bytes word)
{
    static const char escaped[] = "\n\r\t\a\b";
    static const char letters[] = "nrtab";

    rg_buf_append_char(out, '"');
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.data[i];
        const char *at = c != '\0' ? strchr(escaped, c) : NULL;
        if (c == '"' || c == '\\')
            rg_buf_printf(out, "\\%c", c);
        else if (at != NULL)
            rg_buf_printf(out, "\\%c", letters[at - escaped]);
        else if (c >= ' ' && c <= '~')
            rg_buf_append_char(out, (char)c);
        else
            rg_buf_printf(out, "\\x%02x", c);
    }
    rg_buf_append_char(out, '"');
}
