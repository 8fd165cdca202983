/* Time, timers and small failures, shared by the load programs. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>

/* CLOCK_MONOTONIC in nanoseconds: one clock for every process of the machine, so a stamp written
 * by one process can be subtracted in another. */
static inline uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

/* The CPU time this process has used, in seconds. */
static inline double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static inline void die(const char *what)
{
    perror(what);
    exit(1);
}

/* Have a timerfd tick from first_ns (of now_ns) on; 0 and 0 stop it. */
static inline void arm_timer(int timer, uint64_t first_ns, uint64_t every_ns)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(first_ns / 1000000000), .tv_nsec = (long)(first_ns % 1000000000)},
        .it_interval = {.tv_sec = (time_t)(every_ns / 1000000000), .tv_nsec = (long)(every_ns % 1000000000)},
    };
    if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL) < 0)
        die("timerfd_settime");
}

#endif
