/* SPDX-License-Identifier: Apache-2.0 */
/* One request each. The id that is made has 48 random bits behind the day, so that two imports of
 * one day are two. */
#include "tools/cli/import_mark.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int id_make(const struct cli *cli, struct import_mark *mark)
{
    uint64_t random = 0;
    struct tm day;
    time_t now = time(NULL);
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random ||
        gmtime_r(&now, &day) == NULL) {
        return cli_fail(cli, EX_OSERR, "no random number for the id of the import");
    }
    size_t used = strftime(mark->id, sizeof mark->id, "%Y%m%d-", &day);
    (void)snprintf(mark->id + used, sizeof mark->id - used, "%012llx",
                   (unsigned long long)(random >> 16));
    return EX_OK;
}

static int mark_send(const struct cli *cli, struct icp_client *client,
                     const struct icp_payload *payload, bool *unknown)
{
    struct icp_reply reply = {0};
    int status = EX_OK;
    *unknown = false;
    if (!icp_call(client, ICP_OP_IMPORT_MARK, payload, &reply)) {
        *unknown = reply.fault.code == ICP_UNKNOWN_OP;
        status = *unknown ? EX_OK : cli_icp_fault(cli, &reply.fault);
    }
    icp_reply_fini(&reply);
    return status;
}

void import_mark_name(const char *path, const char *source, char name[IMPORT_MARK_NAME_BYTES])
{
    const char *slash = strrchr(path, '/');
    (void)snprintf(name, IMPORT_MARK_NAME_BYTES, "%.150s as %.63s",
                   slash != NULL ? slash + 1 : path, source);
}

int import_mark_begin(const struct cli *cli, struct icp_client *client, const char *id,
                      const char *path, const char *source, struct import_mark *mark)
{
    char name[IMPORT_MARK_NAME_BYTES];
    bool unknown;
    struct icp_payload *payload = icp_payload_create();
    if (payload == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    (void)snprintf(mark->id, sizeof mark->id, "%s", id != NULL ? id : "");
    int status = id == NULL ? id_make(cli, mark) : EX_OK;
    import_mark_name(path, source, name);
    icp_payload_text(payload, "import_id", mark->id);
    icp_payload_text(payload, "name", name);
    if (status == EX_OK) {
        status = mark_send(cli, client, payload, &unknown);
        mark->id[0] = status == EX_OK && unknown ? '\0' : mark->id[0];
    }
    icp_payload_destroy(payload);
    return status;
}

int import_mark_end(const struct cli *cli, struct icp_client *client,
                    const struct import_mark *mark, size_t refused)
{
    char note[64];
    bool unknown;
    struct icp_payload *payload = icp_payload_create();
    if (payload == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    icp_payload_text(payload, "import_id", mark->id);
    icp_payload_flag(payload, "done", true);
    if (refused > 0) {
        (void)snprintf(note, sizeof note, "%zu rows refused", refused);
        icp_payload_text(payload, "name", note);
    }
    int status = mark->id[0] != '\0' ? mark_send(cli, client, payload, &unknown) : EX_OK;
    icp_payload_destroy(payload);
    return status;
}
