/* SPDX-License-Identifier: Apache-2.0 */
/* Timelines: which event an account is told of follows from its number and that of the event, so
 * that the reader knows each without keeping any. One that is shorter or longer than told is wrong,
 * as is one with an event that is another; one that ends with a fault is refused. */
#include "tests/damage/damage_world.h"

#include "tests/unit/event/event_fixture.h"

enum { ID_BYTES = 24 };

struct looking {
    int account;
    int at;
    bool wrong;
};

static struct event event_told(int i, int number, char id[ID_BYTES])
{
    uint64_t seed = (uint64_t)i * 131 + (uint64_t)number;
    return event_of(&seed, (uint64_t)number, id);
}

void world_tell(struct store_batch *batch, int i, int from, int count)
{
    char account[32];
    world_text(account, "id", i);
    for (int number = from; number < from + count; number++) {
        char id[ID_BYTES];
        struct proto_fault fault;
        struct event event = event_told(i, number, id);
        assert_true(store_batch_event(batch, span(account), false, &event, &fault));
    }
}

static bool look_at(void *context, const struct event *event)
{
    struct looking *looking = context;
    char id[ID_BYTES];
    struct event right = event_told(looking->account, looking->at++, id);
    looking->wrong |= !event_same(&right, event);
    return true;
}

enum damage_outcome damage_timeline(struct store_view *view, int i, int count)
{
    struct proto_fault fault;
    struct looking looking = {.account = i};
    bool got = store_timeline(view, (uint32_t)i, look_at, &looking, &fault);
    if (looking.wrong || looking.at > count || (got && looking.at != count)) {
        return DAMAGE_WRONG;
    }
    return got ? DAMAGE_NONE : DAMAGE_PART;
}
