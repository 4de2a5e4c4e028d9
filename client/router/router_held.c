/* SPDX-License-Identifier: Apache-2.0 */
/* The last step of leads: all that was decided in a turn of the loop goes to the spool with one
 * write, then their answers go out. Where the write fails nothing of them was decided: their leads
 * are refused, and are no repetition when they come again. */
#include <stdlib.h>

#include "client/router/router_words.h"
#include "client/router/router_work.h"

void router_answer_fault(struct router_work *work, router_answer *answer, void *context, int status,
                         const char *id, const struct router_fault *fault)
{
    struct router_text *text = &work->text;
    router_text_reset(text);
    router_text_open(text, '{');
    router_text_name(text, "error");
    router_text_string(text, fault->message);
    if (id != NULL) {
        router_text_name(text, "id");
        router_text_string(text, id);
    }
    if (fault->line > 0) {
        router_text_name(text, "line");
        router_text_int(text, (int64_t)fault->line);
        router_text_name(text, "column");
        router_text_int(text, (int64_t)fault->column);
    }
    router_text_close(text, '}');
    answer(context, status, text->failed ? "{}" : text->data, text->failed ? 2 : text->bytes);
}

void router_answer_with(struct router_work *work, const struct router_decision *decision,
                        const char *member, router_answer *answer, void *context)
{
    struct router_text *text = &work->text;
    router_text_reset(text);
    router_text_raw(text, decision->text, decision->bytes - 1);
    router_text_name(text, member);
    router_text_flag(text, true);
    router_text_close(text, '}');
    answer(context, text->failed ? 503 : 200, text->failed ? "{}" : text->data,
           text->failed ? 2 : text->bytes);
}

bool router_held_add(struct router_work *work, const struct router_held *held,
                     struct router_fault *fault)
{
    if (work->held_count == work->held_room) {
        size_t room = 2 * work->held_room + 256;
        struct router_held *grown = realloc(work->held, room * sizeof *grown);
        if (grown == NULL) {
            return router_refuse(fault, 0, 0, "no memory for an answer");
        }
        work->held = grown;
        work->held_room = room;
    }
    work->held[work->held_count++] = *held;
    (void)router_decision_hold(held->decision);
    return true;
}

static void count(struct router_work *work, const struct router_held *held, uint64_t now_ns)
{
    struct router_stats *stats = &work->stats;
    uint64_t took_us = (now_ns - held->came_ns) / 1000;
    stats->decided++;
    stats->owner += held->way == ROUTER_WAY_OWNER;
    stats->nobody += held->way >= ROUTER_WAY_ALL_BARRED;
    stats->defaults += held->is_default;
    stats->late += took_us > (uint64_t)work->rules->deadline_ms * 1000;
    router_stats_time(stats, took_us);
}

static void answered(struct router_work *work, const struct router_held *held, uint64_t now_ns)
{
    const struct router_decision *decision = held->decision;
    if (held->repeated) {
        work->stats.repeated++;
        router_answer_with(work, decision, "repeated", held->answer, held->context);
    } else {
        count(work, held, now_ns);
        held->answer(held->context, 200, decision->text, decision->bytes);
    }
}

static void refused(struct router_work *work, const struct router_held *held,
                    const struct router_fault *fault)
{
    work->stats.refused++;
    router_answer_fault(work, held->answer, held->context, 503, held->decision->id, fault);
}

void router_work_flush(struct router_work *work)
{
    struct router_fault fault;
    size_t count_held = work->held_count;
    if (count_held == 0) {
        return;
    }
    bool good = router_spool_flush(work->spool, &fault);
    uint64_t now_ns = uv_hrtime();
    for (size_t i = count_held; !good && i > 0; i--) {
        if (!work->held[i - 1].repeated) {
            router_recent_undo(work->recent, work->held[i - 1].decision);
        }
    }
    for (size_t i = 0; i < count_held; i++) {
        if (good) {
            answered(work, &work->held[i], now_ns);
        } else {
            refused(work, &work->held[i], &fault);
        }
        router_decision_drop(work->held[i].decision);
    }
    work->turn_leads += count_held;
    work->held_count = 0;
    router_send_kick(&work->send);
}
