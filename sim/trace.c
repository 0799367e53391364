#include "sim/trace.h"

#include <stdarg.h>

#include "base/buf.h"
#include "base/hash.h"

void sim_trace_bytes(struct sim_trace *trace, int64_t now_us, uint64_t kind, struct rg_bytes bytes)
{
    sim_trace_mix(trace, now_us, kind, bytes.len, rg_hash64(bytes, 0));
}

void sim_trace_line(struct sim_trace *trace, int64_t now_us, const char *format, ...)
{
    struct rg_buf line = {0};
    va_list args;

    if (trace->text == NULL)
        return;
    va_start(args, format);
    rg_buf_vprintf(&line, format, args);
    va_end(args);
    (void)fprintf(trace->text, "%11.6f %.*s\n", (double)now_us / 1e6, (int)rg_buf_len(&line),
                  line.data);
    rg_buf_fini(&line);
}
