/* SPDX-License-Identifier: Apache-2.0 */
/* Digits alone are a sequence; all else is read as a date or a time, or refused with both forms. */
#include "tools/cli/moment_option.h"

#include <string.h>

#include "server/feature/date_text.h"

static bool time_read(const char *text, int64_t *ms)
{
    bool whole_day = false;
    if (!feature_date_read(proto_span_text(text), ms, &whole_day)) {
        return false;
    }
    *ms += whole_day ? FEATURE_DAY_MS - 1 : 0;
    return true;
}

int as_of_read(const struct cli *cli, enum cli_option_id option, struct as_of *as_of)
{
    const char *text = cli_text(cli, option);
    *as_of = (struct as_of){.seq = 0};
    if (text == NULL) {
        return EX_OK;
    }
    if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0') {
        return cli_number(cli, option, 1, INT64_MAX, 0, &as_of->seq) ? EX_OK : EX_USAGE;
    }
    as_of->timed = time_read(text, &as_of->known_ms);
    return as_of->timed ? EX_OK
                        : cli_fail(cli, EX_USAGE,
                                   "--%s: '%s' is neither a sequence such as 1042 nor a date such "
                                   "as 2024-05-01 or 2024-05-01T12:00:00Z",
                                   cli_options()[option].name, text);
}

int as_of_time(const struct cli *cli, enum cli_option_id option, bool *given, int64_t *ms)
{
    const char *text = cli_text(cli, option);
    *given = text != NULL;
    return text == NULL || time_read(text, ms)
               ? EX_OK
               : cli_fail(cli, EX_USAGE,
                          "--%s: '%s' is no date such as 2024-05-01 or 2024-05-01T12:00:00Z",
                          cli_options()[option].name, text);
}

int as_of_put(const struct cli *cli, enum cli_option_id as_of, enum cli_option_id at,
              struct icp_payload *payload)
{
    struct as_of known;
    int64_t at_ms = 0;
    bool given = false;
    int status = as_of_read(cli, as_of, &known);
    if (status == EX_OK) {
        status = as_of_time(cli, at, &given, &at_ms);
    }
    if (status != EX_OK) {
        return status;
    }
    if (known.seq > 0) {
        icp_payload_uint(payload, "seq", known.seq);
    }
    if (known.timed) {
        icp_payload_int(payload, "known", known.known_ms);
    }
    if (given) {
        icp_payload_int(payload, "at", at_ms);
    }
    return EX_OK;
}
