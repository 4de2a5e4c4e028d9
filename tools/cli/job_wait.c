/* SPDX-License-Identifier: Apache-2.0 */
/* Sends the request, draws the progress frames that come, and waits for the last word. Ctrl-C
 * cancels the job and goes on waiting; a second one leaves the job to itself. */
#include "tools/cli/job_wait.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "tools/cli/out/out_progress.h"

/* How long to wait for a frame before looking whether Ctrl-C was pressed. */
#define WAIT_MS 200
#define EXIT_INTERRUPTED 130 /* as a shell reports an end by SIGINT */

/* Signals are blocked and asked for, so that no handler and no variable of the file is needed. */
static bool interrupted(void)
{
    sigset_t set;
    struct timespec none = {0};
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return sigtimedwait(&set, NULL, &none) > 0;
}

static void signals_block(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(how, &set, NULL);
}

static int job_cancel(const struct cli *cli, struct icp_client *client, int64_t job)
{
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    if (payload == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    icp_payload_uint(payload, "job", (uint64_t)job);
    int status = cli_call(cli, client, ICP_OP_JOB_CANCEL, payload, &reply);
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}

/* Waits for the job. Ctrl-C cancels it and goes on waiting for its last word; a second one leaves.
 */
static int job_wait(const struct cli *cli, struct icp_client *client, uint32_t id,
                    struct icp_reply *reply)
{
    struct out_progress progress = {0};
    int64_t job = 0;
    int presses = 0;
    bool cancelled = false;
    for (;;) {
        bool received = icp_receive(client, id, WAIT_MS, reply);
        if (received && !reply->more) {
            break;
        }
        if (!received && reply->fault.code != ICP_TIMEOUT) {
            break;
        }
        if (received) {
            struct icp_text stage = icp_reply_text(reply, "stage");
            char text[64];
            job = icp_reply_int(reply, "job", 0);
            snprintf(text, sizeof text, "%.*s", (int)stage.bytes, stage.data);
            out_progress_draw(&progress, icp_reply_number(reply, "done", 0), text);
        }
        presses += interrupted();
        if (presses > 0 && job > 0 && !cancelled) {
            out_progress_end(&progress);
            cli_say(cli, "cancelling job %lld; Ctrl-C once more leaves it alone", (long long)job);
            cancelled = true;
            (void)job_cancel(cli, client, job);
        }
        if (presses > 1) {
            return cli_fail(cli, EXIT_INTERRUPTED, "left; 'icp jobs' tells what became of the job");
        }
    }
    out_progress_end(&progress);
    if (reply->fault.code == ICP_OK) {
        return EX_OK;
    }
    int status = cli_icp_fault(cli, &reply->fault);
    return reply->fault.code == ICP_CANCELLED ? EXIT_INTERRUPTED : status;
}

int job_run(const struct cli *cli, struct icp_client *client, enum icp_op op,
            const struct icp_payload *payload, struct icp_reply *reply)
{
    struct icp_fault fault;
    signals_block(SIG_BLOCK);
    uint32_t id = icp_send(client, op, payload, &fault);
    int status = id == 0 ? cli_icp_fault(cli, &fault) : job_wait(cli, client, id, reply);
    signals_block(SIG_UNBLOCK);
    return status;
}
