#include "node/histogram.h"
#include "node/node_impl.h"
#include "tests/harness.h"

RG_TEST(histogram_bins_are_in_order_and_narrow)
{
    unsigned last = 0;

    for (int64_t value = 0; value <= 1000000000; value += 1 + value / 300) {
        unsigned bin = histogram_bin(value);
        int64_t end = histogram_bin_end(bin);
        RG_CHECK(bin >= last);
        RG_CHECK(end >= value && end - value <= value / 128);
        RG_CHECK_INT(histogram_bin(end), bin);
        RG_CHECK_INT(histogram_bin(end + 1), end + 1 > 1000000000 ? bin : bin + 1);
        last = bin;
    }
    RG_CHECK_INT(histogram_bin(INT64_MAX), histogram_bin(1000000000));
}

RG_TEST(histogram_percentiles_are_those_of_the_values)
{
    struct rg_histogram histogram = {0};

    RG_CHECK_INT(histogram_percentile(&histogram, 50), 0);
    for (int64_t i = 1; i <= 1000; i++)
        histogram_add(&histogram, i * 1000);
    RG_CHECK_INT(histogram.total, 1000);
    RG_CHECK_INT(histogram_percentile(&histogram, 0), 1000);
    for (int64_t percent = 1; percent <= 100; percent++) {
        int64_t value = histogram_percentile(&histogram, (double)percent);
        RG_CHECK(value >= percent * 10000 && value <= percent * 10000 + percent * 10000 / 128);
    }
    histogram_add(&histogram, 0);
    RG_CHECK_INT(histogram_percentile(&histogram, 0), 1);
}

RG_TEST(errors_are_counted_by_code_in_order)
{
    static const char *const texts[] = {"WRONGTYPE Operation", "ERR a", "NOAUTH b", "ERR c\r\n"};
    struct rg_error_stats stats = {0};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        error_stats_note(&stats, rg_bytes_str(texts[i]), 1);
    error_stats_note(&stats, RG_BYTES("NOAUTH"), 5);
    RG_CHECK_INT(stats.total, 9);
    RG_CHECK_INT(stats.count, 3);
    RG_CHECK_STR(stats.codes[0].code, "ERR");
    RG_CHECK_INT(stats.codes[0].count, 2);
    RG_CHECK_STR(stats.codes[1].code, "NOAUTH");
    RG_CHECK_INT(stats.codes[1].count, 6);
    RG_CHECK_STR(stats.codes[2].code, "WRONGTYPE");
}

RG_TEST(more_codes_than_there_is_room_for)
{
    struct rg_error_stats stats = {0};
    char code[] = "AA x";

    for (int i = 0; i < 26 * 26; i++) {
        code[0] = (char)('A' + i / 26);
        code[1] = (char)('A' + i % 26);
        error_stats_note(&stats, rg_bytes_str(code), 1);
    }
    RG_CHECK_INT(stats.total, 26 * 26);
    RG_CHECK_INT(stats.count, RG_ERROR_CODES);
    /* One too long to be a code, and none at all, count as the common one. */
    struct rg_error_stats odd = {0};
    error_stats_note(&odd, RG_BYTES("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), 1);
    error_stats_note(&odd, RG_BYTES(""), 1);
    RG_CHECK_INT(odd.count, 1);
    RG_CHECK_STR(odd.codes[0].code, "ERR");
}
