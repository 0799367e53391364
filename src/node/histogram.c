#include "node/histogram.h"

#include "base/panic.h"

static const int64_t HISTOGRAM_MAX_NS = INT64_C(1000000000);

unsigned histogram_bin(int64_t value_ns)
{
    RG_ASSERT(value_ns >= 0);
    uint64_t value = (uint64_t)(value_ns < HISTOGRAM_MAX_NS ? value_ns : HISTOGRAM_MAX_NS);
    unsigned bits = value > 0 ? 64U - (unsigned)__builtin_clzll(value) : 0;
    unsigned shift = bits > 8 ? bits - 8 : 0;
    unsigned bin = shift * HISTOGRAM_STEPS + (unsigned)(value >> shift);
    RG_ASSERT(bin < HISTOGRAM_BINS);
    return bin;
}

/* The least value that counts in a bin; of the one behind the last, the least that counts in none.
 */
static int64_t histogram_bin_start(unsigned bin)
{
    if (bin < 2 * HISTOGRAM_STEPS)
        return bin;
    unsigned shift = bin / HISTOGRAM_STEPS - 1;
    return (int64_t)(bin - shift * HISTOGRAM_STEPS) << shift;
}

int64_t histogram_bin_end(unsigned bin)
{
    RG_ASSERT(bin < HISTOGRAM_BINS);
    return histogram_bin_start(bin + 1) - 1;
}

void histogram_add(struct rg_histogram *histogram, int64_t value_ns)
{
    /* Most commands take no microsecond. */
    histogram->counts[value_ns > 0 ? histogram_bin(value_ns) : 1]++;
    histogram->total++;
}

int64_t histogram_percentile(const struct rg_histogram *histogram, double percentile)
{
    uint64_t wanted = (uint64_t)(percentile / 100 * (double)histogram->total + 0.5);
    uint64_t seen = 0;

    for (unsigned bin = 0; bin < HISTOGRAM_BINS; bin++) {
        seen += histogram->counts[bin];
        if (seen >= (wanted > 0 ? wanted : 1))
            return percentile > 0 ? histogram_bin_end(bin) : histogram_bin_start(bin);
    }
    return 0;
}
