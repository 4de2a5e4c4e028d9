/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a map of a reply, with what stands for one that is absent: no text, 0, false. A member
 * of another kind than asked for is absent as well; a number may be asked for either way.
 *
 * Ownership: texts borrow from the reply. Errors: none. Threads: any, a reply is read only. Cost: a
 * walk over the map. */
#ifndef CLI_MEMBER_H
#define CLI_MEMBER_H

#include <string.h>

#include "client/icp.h"

static inline struct icp_text member_text(const struct icp_value *map, const char *name)
{
    struct icp_value value;
    return icp_value_get(map, name, &value) && value.kind == ICP_KIND_TEXT
               ? value.text
               : (struct icp_text){"", 0};
}

static inline double member_number(const struct icp_value *map, const char *name)
{
    struct icp_value value;
    return icp_value_get(map, name, &value) ? value.number : 0;
}

static inline int64_t member_int(const struct icp_value *map, const char *name)
{
    struct icp_value value;
    return icp_value_get(map, name, &value) ? value.integer : 0;
}

static inline bool member_flag(const struct icp_value *map, const char *name)
{
    struct icp_value value;
    return icp_value_get(map, name, &value) && value.flag;
}

static inline bool member_there(const struct icp_value *map, const char *name)
{
    struct icp_value value;
    return icp_value_get(map, name, &value);
}

/* Whether a text of a reply, which has no zero behind it, is that word. */
static inline bool member_text_is(struct icp_text text, const char *word)
{
    return text.bytes == strlen(word) && memcmp(text.data, word, text.bytes) == 0;
}

/* A member of the reply itself that is raw bytes; no bytes where it is none. */
static inline struct icp_text member_bytes(const struct icp_reply *reply, const char *name)
{
    struct icp_value value;
    return icp_reply_get(reply, name, &value) && value.kind == ICP_KIND_BYTES
               ? value.text
               : (struct icp_text){"", 0};
}

#endif
