/* SPDX-License-Identifier: Apache-2.0 */
/* The writer tells once, under the lock; the test waits for that and brings its worker up to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/engine/engine_await.h"

static void await_told(void *context, const struct engine_written *written)
{
    struct engine_await *await = context;
    pthread_mutex_lock(&await->lock);
    await->written = *written;
    await->times++;
    pthread_cond_signal(&await->told);
    pthread_mutex_unlock(&await->lock);
}

void engine_await_begin(struct engine_await *await)
{
    *await = (struct engine_await){.write = {.on_done = await_told, .context = await}};
    pthread_mutex_init(&await->lock, NULL);
    pthread_cond_init(&await->told, NULL);
}

struct engine_written engine_await_end(struct engine_await *await, struct engine_worker *worker,
                                       bool given, const struct proto_fault *fault)
{
    struct proto_fault ignored;
    pthread_mutex_lock(&await->lock);
    if (!given) {
        await->written = (struct engine_written){.fault = *fault};
    }
    while (given && await->times == 0) {
        pthread_cond_wait(&await->told, &await->lock);
    }
    pthread_mutex_unlock(&await->lock);
    assert_int_equal(await->times, given);
    assert_true(engine_worker_refresh(worker, &ignored));
    pthread_cond_destroy(&await->told);
    pthread_mutex_destroy(&await->lock);
    return await->written;
}
