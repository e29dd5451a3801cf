/* Clocks and their text forms. All times are nanoseconds. */
#ifndef HW_BASE_CLOCK_H
#define HW_BASE_CLOCK_H

#include "base/err.h"
#include "base/str.h"

uint64_t clock_real_ns(void); /* UTC since the epoch */
uint64_t clock_boot_ns(void); /* CLOCK_BOOTTIME: what event records carry */
uint64_t clock_mono_ns(void);

/* What has to be added to CLOCK_BOOTTIME now to get UTC (smallest of several readings' error). */
int64_t clock_boot_to_real_offset_ns(void);

/* "2026-11-23T15:04:05.123456789Z" into out[CLOCK_ISO_LEN + 1]. */
#define CLOCK_ISO_LEN 30
void clock_iso(uint64_t real_ns, char out[CLOCK_ISO_LEN + 1]);

/*
 * A time as a user writes it: RFC 3339 ("2026-11-23T15:04:05Z", date alone, blank for T, offset),
 * epoch seconds with fraction, or an age such as 10s, 5m, 2h, 3d, 1w before now_ns. Without an
 * offset it is UTC; years 1970 to 2500. ERR_USAGE.
 */
int clock_parse(struct str text, uint64_t now_ns, uint64_t *real_ns, struct err *e);

/* A duration "30", "30s", "5m", "1.5d", "500ms" to ns; a bare number is seconds. ERR_USAGE. */
int clock_parse_duration(struct str text, uint64_t *ns, struct err *e);

#endif
