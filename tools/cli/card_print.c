/* SPDX-License-Identifier: Apache-2.0 */
/* Each part of the card as a line or a few. What the card does not have is said with its reason. */
#include "tools/cli/card_print.h"

#include <stdlib.h>

#include "server/event/event_money.h"

enum { DAY_BYTES = 10 };

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static double number_of(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

/* The value in JSON: texts in quotes, with whatever they hold escaped. */
static void value_print(const struct cli *cli, const json_t *value)
{
    char *text = value != NULL
                     ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6))
                     : NULL;
    cli_print(cli, "%s", text != NULL ? text : "null");
    free(text);
}

static void list_print(const struct cli *cli, const json_t *card, const char *name,
                       const char *title)
{
    const json_t *list = json_object_get(card, name);
    size_t i = 0;
    const json_t *item = NULL;
    if (json_array_size(list) == 0) {
        return;
    }
    cli_print(cli, "%s: ", title);
    json_array_foreach(list, i, item)
    {
        cli_print(cli, "%s", i > 0 ? ", " : "");
        value_print(cli, item);
    }
    cli_print(cli, "\n");
}

static void head_print(const struct cli *cli, const json_t *card)
{
    const json_t *name = json_object_get(card, "name");
    cli_print(cli, "account ");
    value_print(cli, json_object_get(card, "id"));
    if (json_is_string(name)) {
        cli_print(cli, ", name ");
        value_print(cli, name);
    }
    cli_print(cli, "\n");
    list_print(cli, card, "keys", "keys");
    if (json_is_number(json_object_get(card, "fit"))) {
        cli_print(cli, "fit %.1f, grade %s, p %.3f: %s\n", number_of(card, "fit"),
                  text_of(card, "grade"), number_of(card, "p"), text_of(card, "fit_in_words"));
        cli_print(cli, "outcome that was learned: ");
        value_print(cli, json_object_get(card, "outcome"));
        cli_print(cli, "\n");
    }
}

static void why_print(const struct cli *cli, const json_t *card)
{
    size_t i = 0;
    const json_t *reason = NULL;
    json_array_foreach(json_object_get(card, "why"), i, reason)
    {
        cli_print(cli, "  %s, %+.0f points: %s ", text_of(reason, "says"),
                  out_signed(number_of(reason, "points"), 0), text_of(reason, "field"));
        value_print(cli, json_object_get(reason, "value"));
        if (json_object_get(reason, "second") != NULL) {
            cli_print(cli, " with %s ", text_of(reason, "second"));
            value_print(cli, json_object_get(reason, "second_value"));
        }
        cli_print(cli, "\n");
    }
    if (json_array_size(json_object_get(card, "missing")) > 0) {
        list_print(cli, card, "missing", "missing");
        cli_print(cli, "with those the fit would lie from %.1f to %.1f\n",
                  number_of(card, "fit_low"), number_of(card, "fit_high"));
    }
    list_print(cli, card, "stale", "stale");
}

static void engagement_print(const struct cli *cli, const json_t *card)
{
    const json_t *engagement = json_object_get(card, "engagement");
    const char *last = text_of(engagement, "last");
    cli_print(cli, "engagement %.1f, %s: %.0f events%s%.*s, by %s@%.0f\n",
              number_of(engagement, "score"), text_of(engagement, "band"),
              number_of(engagement, "events"), last[0] != '\0' ? ", last on " : "", DAY_BYTES, last,
              text_of(engagement, "definition"), number_of(engagement, "version"));
}

/* Whole minor units as an amount. */
static const char *money_text(const json_t *minor, const char *currency,
                              char text[EVENT_DECIMAL_BYTES])
{
    return event_decimal_print(json_integer_value(minor),
                               event_money_digits(proto_span_text(currency)), false, text);
}

static void lifecycle_print(const struct cli *cli, const json_t *card)
{
    const json_t *lifecycle = json_object_get(card, "lifecycle");
    bool customer = json_is_true(json_object_get(lifecycle, "customer"));
    if (!json_is_object(lifecycle)) {
        return;
    }
    cli_print(cli, "%s", customer ? "customer" : "no customer");
    if (customer) {
        char text[EVENT_DECIMAL_BYTES];
        cli_print(cli, ", %s %s a month",
                  money_text(json_object_get(lifecycle, "mrr_minor_units"),
                             text_of(lifecycle, "currency"), text),
                  text_of(lifecycle, "currency"));
    }
    if (json_is_string(json_object_get(lifecycle, "since"))) {
        cli_print(cli, ", first paid on %.*s, %.0f days", DAY_BYTES, text_of(lifecycle, "since"),
                  number_of(lifecycle, "tenure_days"));
    }
    if (json_is_number(json_object_get(lifecycle, "nps"))) {
        cli_print(cli, ", NPS %g", number_of(lifecycle, "nps"));
    }
    cli_print(cli, ", %.0f renewals, churned %.0f times\n", number_of(lifecycle, "renewals"),
              number_of(lifecycle, "churned"));
}

static void amount_print(const struct cli *cli, const json_t *event)
{
    const json_t *amount = json_object_get(event, "amount");
    char text[EVENT_DECIMAL_BYTES];
    if (amount != NULL) {
        cli_print(cli, " %s %s", money_text(amount, text_of(event, "currency"), text),
                  text_of(event, "currency"));
    }
}

static void events_print(const struct cli *cli, const json_t *card)
{
    static const char *const members[] = {"kind", "label", "campaign", "person"};
    size_t i = 0;
    const json_t *event = NULL;
    cli_print(cli, "last of %.0f events\n", number_of(card, "events_in_all"));
    json_array_foreach(json_object_get(card, "events"), i, event)
    {
        cli_print(cli, "  %.*s %s", DAY_BYTES, text_of(event, "time"), text_of(event, "type"));
        for (size_t m = 0; m < sizeof members / sizeof *members; m++) {
            const json_t *value = json_object_get(event, members[m]);
            if (value != NULL) {
                cli_print(cli, " %s ", members[m]);
                value_print(cli, value);
            }
        }
        amount_print(cli, event);
        cli_print(cli, "\n");
    }
}

static void look_alikes_print(const struct cli *cli, const json_t *card)
{
    size_t i = 0;
    const json_t *one = NULL;
    json_array_foreach(json_object_get(card, "look_alikes"), i, one)
    {
        cli_print(cli, "%s", i == 0 ? "look-alikes: " : ", ");
        value_print(cli, json_object_get(one, "id"));
        cli_print(cli, " %.3f", number_of(one, "similarity"));
        if (json_object_get(one, "grade") != NULL) {
            cli_print(cli, " grade %s", text_of(one, "grade"));
        }
    }
    if (i > 0) {
        cli_print(cli, "\n");
    }
}

static void values_print(const struct cli *cli, const json_t *card)
{
    json_t *values = json_object_get(card, "values");
    const char *name = NULL;
    json_t *value = NULL;
    cli_print(cli, "values\n");
    json_object_foreach(values, name, value)
    {
        bool stale = strcmp(text_of(value, "state"), "stale") == 0;
        cli_print(cli, "  %s ", name);
        value_print(cli, json_object_get(value, "value"));
        cli_print(cli, "%s\n", stale ? " (stale)" : "");
    }
}

void card_print(const struct cli *cli, const json_t *card)
{
    const char *part = NULL;
    json_t *why = NULL;
    head_print(cli, card);
    why_print(cli, card);
    engagement_print(cli, card);
    lifecycle_print(cli, card);
    list_print(cli, card, "lists", "on lists");
    look_alikes_print(cli, card);
    events_print(cli, card);
    values_print(cli, card);
    json_object_foreach(json_object_get(card, "without"), part, why)
    {
        const char *reason = json_string_value(why);
        cli_print(cli, "no %s: %s\n", part, reason != NULL ? reason : "");
    }
    cli_print(cli, "ICP %.0f, sequence %.0f, as of %s\n", number_of(card, "icp"),
              number_of(card, "seq"), text_of(card, "at"));
}
