/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feature/feature_fixture.h"

#include <stdio.h>
#include <time.h>

#include "server/feature/date_text.h"

static int64_t read_or_fail(const char *text)
{
    int64_t ms = 0;
    bool whole_day;
    if (!feature_date_read(proto_span_text(text), &ms, &whole_day)) {
        fail_msg("%s is no date", text);
    }
    return ms;
}

/* The C library is the oracle. */
static void days_agree_with_the_c_library(void **state)
{
    (void)state;
    uint64_t seed = 20261128;
    for (int round = 0; round < 100000; round++) {
        char text[FEATURE_DATE_TEXT_BYTES];
        char wanted[FEATURE_DATE_TEXT_BYTES * 2];
        struct tm parts;
        int64_t span = (FEATURE_DATE_MS_MAX - FEATURE_DATE_MS_MIN) / 1000;
        time_t seconds = (time_t)(FEATURE_DATE_MS_MIN / 1000 +
                                  (int64_t)(fixture_random(&seed) % (uint64_t)span));
        seconds -= round % 3 == 0 ? (seconds % 86400 + 86400) % 86400 : 0;
        assert_non_null(gmtime_r(&seconds, &parts));
        bool midnight = parts.tm_hour + parts.tm_min + parts.tm_sec == 0;
        size_t used =
            strftime(wanted, sizeof wanted, midnight ? "-%m-%d" : "-%m-%dT%H:%M:%SZ", &parts);
        assert_true(used > 0);
        (void)feature_date_print((int64_t)seconds * 1000, text);
        assert_int_equal(atoi(text), parts.tm_year + 1900);
        assert_string_equal(text + 4, wanted);
        assert_int_equal(read_or_fail(text), (int64_t)seconds * 1000);
    }
}

static const struct {
    const char *text;
    const char *means; /* NULL: no date */
} cases[] = {
    {"2023-01-08", "2023-01-08"},
    {"2023/1/8", "2023-01-08"},
    {"2023-01-08T00:27:00Z", "2023-01-08T00:27:00Z"},
    {"2023-01-08 00:27", "2023-01-08T00:27:00Z"},
    {"2023-01-08t00:27:00.250z", "2023-01-08T00:27:00.250Z"},
    {"2023-01-08T00:27:00+02:00", "2023-01-07T22:27:00Z"},
    {"2023-01-08T23:30:00-0130", "2023-01-09T01:00:00Z"},
    {"08-Jan-2023", "2023-01-08"},
    {"8. Januar 2023", "2023-01-08"},
    {"5 M\xc3\xa4rz 2023", "2023-03-05"},
    {"Jan 8, 2023", "2023-01-08"},
    {"Sept 8 2023 1:05 PM", "2023-09-08T13:05:00Z"},
    {"January 08, 2023 12:00 AM", "2023-01-08"},
    {"Sun, 08 Jan 2023 00:27:00 +0200", "2023-01-07T22:27:00Z"},
    {"Sunday, 08 Jan 2023 00:27:00 GMT", "2023-01-08T00:27:00Z"},
    {"2024-02-29", "2024-02-29"},
    {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
    {"0001-01-01", "0001-01-01"},
    {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
    {"2023-02-29", NULL},
    {"1900-02-29", NULL},
    {"2023-13-01", NULL},
    {"2023-01/08", NULL},
    {"2023-01", NULL},
    {"01/08/2023", NULL}, /* two dates */
    {"08-Jan-23", NULL},
    {"Jan 2023", NULL},
    {"2023-01-08T", NULL},
    {"2023-01-08T24:01Z", NULL},
    {"2023-01-08T10:61Z", NULL},
    {"2023-01-08 13:00 PM", NULL},
    {"2023-01-08T10:00+2", NULL},
    {"2023-01-08x", NULL},
    {"Foo 8, 2023", NULL},
    {"20230108", NULL},
    {"", NULL},
    {"0001-01-01T00:00+01:00", NULL}, /* before the first year */
};

static void forms_are_read_and_others_are_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = 0;
        bool whole_day = false;
        char text[FEATURE_DATE_TEXT_BYTES];
        bool read = feature_date_read(proto_span_text(cases[i].text), &ms, &whole_day);
        if (read != (cases[i].means != NULL)) {
            fail_msg("'%s' is %s date", cases[i].text, read ? "a" : "no");
        }
        if (read) {
            size_t bytes = feature_date_print(ms, text);
            assert_int_equal(bytes, strlen(text));
            assert_string_equal(text, cases[i].means);
            assert_int_equal(whole_day, strchr(cases[i].text, ':') == NULL);
        }
    }
}

static void bytes_of_any_kind_do_no_harm(void **state)
{
    (void)state;
    static const char pieces[][8] = {"2023", "-",        "/",   "01",   "8",    " ",
                                     "T",    ":",        "Jan", "Z",    "+02",  ".",
                                     ",",    "\xc3\xa4", "PM",  "\xff", "99999"};
    uint64_t seed = 5;
    for (int round = 0; round < 200000; round++) {
        char text[128] = "";
        int64_t ms;
        bool whole_day;
        char out[FEATURE_DATE_TEXT_BYTES];
        size_t used = 0;
        for (uint64_t left = 1 + fixture_random(&seed) % 12; left > 0; left--) {
            used +=
                (size_t)snprintf(text + used, sizeof text - used, "%s",
                                 pieces[fixture_random(&seed) % (sizeof pieces / sizeof *pieces)]);
        }
        if (feature_date_read(proto_span_text(text), &ms, &whole_day)) {
            (void)feature_date_print(ms, out);
            assert_int_equal(read_or_fail(out), ms);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_agree_with_the_c_library),
        cmocka_unit_test(forms_are_read_and_others_are_not),
        cmocka_unit_test(bytes_of_any_kind_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
