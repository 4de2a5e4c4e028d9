/* SPDX-License-Identifier: Apache-2.0 */
/* Who is told of each commit. The writer thread holds the lock from BEGIN to the end of a commit,
 * so that whoever joins or leaves does so between two commits: a follower is told of both ends of a
 * commit or of neither, and a view that it opens after joining has seen every commit that it was
 * not told of. */
#include "server/engine/engine_internal.h"

void engine_followers_init(struct engine_followers *followers)
{
    *followers = (struct engine_followers){0};
    pthread_mutex_init(&followers->lock, NULL);
}

void engine_followers_fini(struct engine_followers *followers)
{
    pthread_mutex_destroy(&followers->lock);
}

void engine_followers_tell(void *context, const struct store_commit *commit)
{
    struct engine_followers *followers = context;
    if (commit->phase == STORE_COMMIT_BEGIN) {
        pthread_mutex_lock(&followers->lock);
    }
    for (size_t i = 0; i < followers->count; i++) {
        followers->list[i].on_commit(followers->list[i].context, commit);
    }
    if (commit->phase != STORE_COMMIT_BEGIN) {
        pthread_mutex_unlock(&followers->lock);
    }
}

bool engine_follow(struct engine *engine, const struct engine_follower *follower,
                   struct proto_fault *fault)
{
    struct engine_followers *followers = &engine->followers;
    pthread_mutex_lock(&followers->lock);
    bool room = followers->count < ENGINE_FOLLOWERS_MAX;
    if (room) {
        followers->list[followers->count++] = *follower;
    }
    pthread_mutex_unlock(&followers->lock);
    return room || proto_fault_set(fault, PROTO_LIMIT, "", "%d parts follow commits already",
                                   ENGINE_FOLLOWERS_MAX);
}

void engine_unfollow(struct engine *engine, const void *context)
{
    struct engine_followers *followers = &engine->followers;
    pthread_mutex_lock(&followers->lock);
    size_t kept = 0;
    for (size_t i = 0; i < followers->count; i++) {
        if (followers->list[i].context != context) {
            followers->list[kept++] = followers->list[i];
        }
    }
    followers->count = kept;
    pthread_mutex_unlock(&followers->lock);
}
