/* SPDX-License-Identifier: Apache-2.0 */
/* One slow turn of few leads says little, and is weighed by them. */
#include "client/router/router_pace.h"

enum { MEMORY_LEADS = 256, FIRST_NS = 50000 };

void router_pace_turn(struct router_pace *pace, uint64_t busy_ns, size_t leads)
{
    uint64_t before = pace->lead_ns > 0 ? pace->lead_ns : FIRST_NS;
    if (leads == 0) {
        return;
    }
    uint64_t now = busy_ns / leads;
    uint64_t weight = leads < MEMORY_LEADS / 2 ? leads : MEMORY_LEADS / 2;
    now = now < 2 * before ? now : 2 * before;
    pace->lead_ns = (before * (MEMORY_LEADS - weight) + now * weight) / MEMORY_LEADS;
    pace->lead_ns = pace->lead_ns > 0 ? pace->lead_ns : 1;
}

size_t router_pace_room(const struct router_pace *pace, unsigned deadline_ms)
{
    uint64_t lead_ns = pace->lead_ns > 0 ? pace->lead_ns : FIRST_NS;
    uint64_t room = (uint64_t)deadline_ms * (1000000 / ROUTER_WAIT_PART) / lead_ns;
    return room < ROUTER_WAIT_MIN ? ROUTER_WAIT_MIN : (size_t)room;
}
