#ifndef RG_IO_CLOCK_H
#define RG_IO_CLOCK_H

#include "base/time.h"

/* Both clocks, read now. Call it after the bytes that it dates were received (base/time.h). */
struct rg_time rg_clock_now(void);
/* The monotonic one alone. */
int64_t rg_clock_mono_us(void);

#endif
