/* Latency histogram: a fixed table, about 1 % wide buckets, no allocation while measuring.
 *
 * A value below 128 us has a bucket of its own; above, each power of two is cut in 128, so a
 * percentile is at most 0.8 % too high (the upper edge of its bucket is reported). */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define HISTOGRAM_SUB 128u
#define HISTOGRAM_BUCKETS (40u * HISTOGRAM_SUB)

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t total, sum_us, min_us, max_us;
};

static inline void histogram_reset(struct histogram *h)
{
    memset(h, 0, sizeof *h);
    h->min_us = UINT64_MAX;
}

static inline unsigned histogram_bucket(uint64_t us)
{
    if (us < HISTOGRAM_SUB)
        return (unsigned)us;
    unsigned shift = (unsigned)(63 - __builtin_clzll(us)) - 7; /* us >> shift is in [128, 256) */
    unsigned bucket = (shift + 1) * HISTOGRAM_SUB + ((unsigned)(us >> shift) - HISTOGRAM_SUB);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static inline uint64_t histogram_edge_us(unsigned bucket)
{
    if (bucket < HISTOGRAM_SUB)
        return bucket;
    unsigned shift = bucket / HISTOGRAM_SUB - 1;
    return ((uint64_t)(bucket % HISTOGRAM_SUB + HISTOGRAM_SUB + 1) << shift) - 1;
}

static inline void histogram_add(struct histogram *h, uint64_t us)
{
    h->counts[histogram_bucket(us)]++;
    h->total++;
    h->sum_us += us;
    if (us < h->min_us)
        h->min_us = us;
    if (us > h->max_us)
        h->max_us = us;
}

static inline uint64_t histogram_percentile_us(const struct histogram *h, double fraction)
{
    uint64_t wanted = (uint64_t)(fraction * (double)h->total), seen = 0;
    if (wanted >= h->total)
        return h->max_us;
    for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        seen += h->counts[bucket];
        if (seen > wanted) {
            uint64_t edge = histogram_edge_us(bucket);
            return edge < h->max_us ? edge : h->max_us;
        }
    }
    return h->max_us;
}

/* One JSON object: {"count":…,"min_us":…,…}; an empty histogram is null. */
static inline void histogram_print(const struct histogram *h)
{
    if (!h->total) {
        printf("null");
        return;
    }
    printf("{\"count\":%llu,\"min_us\":%llu,\"mean_us\":%llu,\"p50_us\":%llu,\"p90_us\":%llu,"
           "\"p99_us\":%llu,\"p999_us\":%llu,\"max_us\":%llu}",
           (unsigned long long)h->total, (unsigned long long)h->min_us,
           (unsigned long long)(h->sum_us / h->total),
           (unsigned long long)histogram_percentile_us(h, 0.50),
           (unsigned long long)histogram_percentile_us(h, 0.90),
           (unsigned long long)histogram_percentile_us(h, 0.99),
           (unsigned long long)histogram_percentile_us(h, 0.999), (unsigned long long)h->max_us);
}

#endif
