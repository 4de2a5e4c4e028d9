/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts, ids and keys as arrays: a put or patch is refused where a key is another's, a new
 * account takes the slot that the commit told of, a deletion leaves the slot without an account. */
#include "tests/unit/store/fold_model.h"

#include <stdio.h>
#include <stdlib.h>

uint32_t fold_draw(struct run *run, uint32_t count)
{
    run->random = run->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((run->random >> 33) % count);
}

const char *fold_id(int id, char text[16])
{
    snprintf(text, 16, "id%d", id);
    return text;
}

const char *fold_key(int key, char text[16])
{
    snprintf(text, 16, "crm:%d", key);
    return text;
}

void fold_record(struct made *made, int id, uint32_t keys, int number)
{
    char id_name[16];
    char names[KEYS][16];
    const char *list[KEYS + 1];
    size_t count = 0;
    for (int key = 0; key < KEYS; key++) {
        if ((keys >> key & 1) != 0) {
            list[count++] = fold_key(key, names[key]);
        }
    }
    list[count] = NULL;
    make_record(made, fold_id(id, id_name), list, number, "Soft");
}

static void account_write(struct model *model, uint32_t slot, struct proto_span record,
                          uint32_t now_s)
{
    struct model_account *account = &model->account[slot];
    const struct store_account_stamp stamp = {
        .created_s = account->created_s, .changed_s = now_s, .fold = STORE_NO_SLOT};
    account->bytes = store_account_bytes(record, &stamp);
    assert_true(account->bytes <= sizeof account->value);
    store_account_encode(account->value, slot, record, &stamp);
}

static void keys_set(struct model *model, uint32_t slot, uint32_t keys)
{
    struct model_account *account = &model->account[slot];
    for (int key = 0; key < KEYS; key++) {
        if ((account->keys >> key & 1) != 0 && (keys >> key & 1) == 0) {
            model->owner_of[key] = -1;
        } else if ((keys >> key & 1) != 0) {
            model->owner_of[key] = (int)slot;
        }
    }
    account->keys = keys;
}

static bool keys_free(const struct model *model, int slot, uint32_t keys)
{
    for (int key = 0; key < KEYS; key++) {
        if ((keys >> key & 1) != 0 && model->owner_of[key] != -1 && model->owner_of[key] != slot) {
            return false;
        }
    }
    return true;
}

/* The slot of a new account: the next that the commit touched and that held none before, or, where
 * it is not known yet, the first that was never given. */
static uint32_t new_slot(struct run *run, const struct model *model)
{
    for (; run->touched_at < run->touched_count; run->touched_at++) {
        uint32_t slot = run->touched[run->touched_at];
        if (slot >= run->now->slots || run->now->account[slot].id < 0) {
            run->touched_at++;
            return slot;
        }
    }
    return model->slots;
}

bool fold_put(struct run *run, int id, uint32_t keys, int number, uint32_t now_s)
{
    struct model *model = run->tried;
    struct made made;
    int slot = model->slot_of[id];
    if (!keys_free(model, slot, keys)) {
        return false;
    }
    if (slot < 0) {
        slot = (int)new_slot(run, model);
        assert_true(slot < SLOTS && (uint32_t)slot <= model->slots);
        run->given_again += (uint32_t)slot < model->slots;
        model->slots += (uint32_t)slot == model->slots;
        model->slot_of[id] = slot;
        model->account[slot] = (struct model_account){.id = id, .created_s = now_s};
        model->accounts++;
    }
    keys_set(model, (uint32_t)slot, keys);
    model->account[slot].number = number;
    fold_record(&made, id, keys, number);
    account_write(model, (uint32_t)slot, made_span(&made), now_s);
    return true;
}

bool fold_patch(struct model *model, int id, uint32_t keys, int number, uint32_t now_s)
{
    struct store_patch_room room = {0};
    struct made made;
    struct proto_fault fault;
    size_t bytes = 0;
    int slot = model->slot_of[id];
    if (slot < 0 || !keys_free(model, slot, keys)) {
        return false;
    }
    struct model_account *account = &model->account[slot];
    fold_record(&made, id, keys, number);
    struct store_command patch = {.kind = STORE_COMMAND_PATCH, .text = made_span(&made)};
    uint8_t *joined = store_patch(
        &room, store_account_record((struct proto_span){account->value, account->bytes}), &patch,
        &bytes, &fault);
    assert_non_null(joined);
    keys_set(model, (uint32_t)slot, account->keys | keys);
    account->number = number;
    account_write(model, (uint32_t)slot, (struct proto_span){joined, bytes}, now_s);
    free(joined);
    store_patch_room_fini(&room);
    return true;
}

void fold_delete(struct model *model, int id, uint32_t now_s)
{
    int slot = model->slot_of[id];
    if (slot < 0) {
        return;
    }
    keys_set(model, (uint32_t)slot, 0);
    model->slot_of[id] = -1;
    model->account[slot].id = -1;
    model->accounts--;
    account_write(model, (uint32_t)slot, (struct proto_span){0}, now_s);
}

void fold_icp(uint32_t version, char text[24])
{
    snprintf(text, 24, "icp %u", version);
}
