/* SPDX-License-Identifier: Apache-2.0 */
/* Values of options as text and back, and access to the fields by option; inside of server/base
 * only. Ownership: borrows. Threads: pure. Errors: PROTO_BAD_CONFIG with a message without its
 * place. */
#ifndef BASE_CONFIG_VALUE_H
#define BASE_CONFIG_VALUE_H

#include "server/base/config.h"

#define BASE_NAME_BYTES_MAX 64
#define BASE_VALUE_PRINT_BYTES 4200 /* the longest text is a path of 4095 bytes */

/* Texts (TEXT, PATH, CHOICE, SECRET) are only checked; numbers and flags come back in *number. */
bool base_value_parse(const struct base_option_info *option, const char *text, uint64_t *number,
                      struct proto_fault *fault);
/* Whether the field of this type is a text. */
bool base_value_is_text(enum base_option_type type);
/* Shortest exact form: 67108864 → "64M", 30000 → "30s". */
void base_value_print(enum base_option_type type, uint64_t number, char *out, size_t out_bytes);

/* The field of an option that is a number or flag; of one that is a text. */
uint64_t base_config_number(const struct base_config *config,
                            const struct base_option_info *option);
const char *base_config_text(const struct base_config *config,
                             const struct base_option_info *option);

#endif
