#include "sim/trace.h"

#include <stdarg.h>

#include "base/hash.h"

void sim_trace_bytes(struct sim_trace *trace, int64_t now_us, uint64_t kind, struct rg_bytes bytes)
{
    sim_trace_mix(trace, now_us, kind, bytes.len, rg_hash64(bytes, 0));
}

void sim_trace_line(struct sim_trace *trace, int64_t now_us, const char *format, ...)
{
    va_list args;

    if (trace->text == NULL)
        return;
    (void)fprintf(trace->text, "%11.6f ", (double)now_us / 1e6);
    va_start(args, format);
    (void)vfprintf(trace->text, format, args);
    va_end(args);
    (void)fputc('\n', trace->text);
}
