/* SPDX-License-Identifier: Apache-2.0 */
/* Who a campaign reached: how many of its members are on the target account list, how many in the
 * segment that it is for, how many were worked in time, and whose they are.
 *
 * A member is an account with a touch of the campaign. It was worked in time if somebody did
 * something within `within` days after its first touch; one that was not is counted only when those
 * days are over (watched). Intervals at 95 %: Wilson. Assumption: members are independent.
 *
 * Shapes: campaign and owner are numbers of names. Ownership: measure_members_fini frees; names are
 * borrowed. Errors: NO_EVIDENCE where there is no member, NO_MEMORY. Threads: pure. Cost: a sort of
 * the members. Memory: 16 bytes a member. Source: Wilson 1927; docs/methods/campaign.md. */
#ifndef MEASURE_CAMPAIGN_H
#define MEASURE_CAMPAIGN_H

#include "server/measure/measure.h"
#include "server/measure/spell.h"

struct measure_member {
    uint32_t campaign, owner;
    bool on_list, in_segment;
    bool watched, worked;
};

struct measure_members {
    struct measure_member *items;
    size_t count, room;
};
bool measure_members_add(struct measure_members *members, const struct measure_member *member,
                         struct proto_fault *fault);
void measure_members_fini(struct measure_members *members);

struct measure_campaign_options {
    bool list, segment; /* they were asked for */
    unsigned owners;    /* to name for each campaign, those with most members first */
    unsigned least;
    const struct measure_pace *pace; /* asked between pieces of a sort; NULL: always */
};
/* Campaigns in the order in which they first came, each with its owners. Sorts the members. */
bool measure_campaign_table(struct measure_members *members, const char *const *campaigns,
                            const char *const *owners,
                            const struct measure_campaign_options *options,
                            struct measure_table *table, struct proto_fault *fault);

#endif
