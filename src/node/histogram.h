#ifndef RG_NODE_HISTOGRAM_H
#define RG_NODE_HISTOGRAM_H

#include <stdint.h>

/*
 * Run times by how often they occurred, from a nanosecond to a second, each within 1/128 of its
 * value: exact below 256, and 128 steps to each power of two above.
 */
enum { HISTOGRAM_STEPS = 128, HISTOGRAM_BINS = 24 * HISTOGRAM_STEPS };

struct rg_histogram {
    uint64_t total;
    uint64_t counts[HISTOGRAM_BINS];
};

/* Longer than a second counts as a second, nothing at all as a nanosecond. */
void histogram_add(struct rg_histogram *histogram, int64_t value_ns);
unsigned histogram_bin(int64_t value_ns);
/* The greatest value that counts in a bin. */
int64_t histogram_bin_end(unsigned bin);
/* The greatest value of the bin that holds the percentile (0 to 100); for 0 the least value of the
 * first bin in use. 0 where nothing was added. */
int64_t histogram_percentile(const struct rg_histogram *histogram, double percentile);

#endif
