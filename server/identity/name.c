/* SPDX-License-Identifier: Apache-2.0 */
/* A name is folded into letters, digits, blanks, dots and brackets, divided into words, and then
 * loses what is not its own, from the outside in: brackets, joining words, legal forms. What would
 * leave nothing behind is not taken away: a company may be called "The Company". */
#include "server/identity/name.h"

#include <string.h>

#include "proto/utf8.h"

#define FOLDED_BYTES 1024 /* as long as a category can be; signs written out may be cut */
#define RAW_WORDS 64
#define FORM_WORDS_MAX 4

struct fold {
    uint32_t code;
    const char *letters;
};

static const struct fold folds[] = {
#define FOLD(code, letters) {code, letters},
#include "server/identity/letter_fold.def"
#undef FOLD
};

enum place { END, FRONT };

static const struct form {
    const char *group;
    enum place place;
    const char *words;
    size_t bytes;
} forms[] = {
#define FORM(GROUP, PLACE, words) {#GROUP, PLACE, words, sizeof(words) - 1},
#define GLUED(GROUP, text)
#include "server/identity/legal_form.def"
#undef GLUED
#undef FORM
};

static const struct {
    const char *group;
    const char *text;
} glued[] = {
#define FORM(GROUP, PLACE, words)
#define GLUED(GROUP, text) {#GROUP, text},
#include "server/identity/legal_form.def"
#undef GLUED
#undef FORM
};

static const struct {
    const char *written;
    const char *meant;
} meanings[] = {
#define WORD(written, meant) {written, meant},
#define STOP(word)
#include "server/identity/name_word.def"
#undef STOP
#undef WORD
};

static const char *const stops[] = {
#define WORD(written, meant)
#define STOP(word) word,
#include "server/identity/name_word.def"
#undef STOP
#undef WORD
};

/* The folded text: letters, digits, ' ', '.', '(' and ')'. */
struct folded {
    char text[FOLDED_BYTES];
    size_t bytes;
};

static void folded_add(struct folded *folded, const char *text, size_t bytes)
{
    if (folded->bytes + bytes < FOLDED_BYTES) {
        memcpy(folded->text + folded->bytes, text, bytes);
        folded->bytes += bytes;
    }
}

static const char *fold_find(uint32_t code)
{
    size_t low = 0;
    size_t high = sizeof folds / sizeof *folds;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (folds[middle].code == code) {
            return folds[middle].letters;
        }
        if (folds[middle].code < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static void ascii_fold(struct folded *folded, uint32_t code)
{
    char c = (char)code;
    if (c >= 'A' && c <= 'Z') {
        c = (char)(c - 'A' + 'a');
    }
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
        folded_add(folded, &c, 1);
    } else if (c == '&') {
        folded_add(folded, " and ", 5);
    } else if (c == '.' || c == '/') {
        folded_add(folded, ".", 1);
    } else if (c == '(' || c == '[') {
        folded_add(folded, "(", 1);
    } else if (c == ')' || c == ']') {
        folded_add(folded, ")", 1);
    } else if (c != '\'' && c != '`') {
        folded_add(folded, " ", 1);
    }
}

/* Signs beyond ASCII: 1 divides, -1 is as if it were not there, 0 is a letter. */
static int sign_kind(uint32_t code)
{
    bool gone = code == 0xAD || code == 0xB4 || (code >= 0x300 && code <= 0x36F) ||
                (code >= 0x200B && code <= 0x200F) || (code >= 0x2018 && code <= 0x201B) ||
                (code >= 0x2060 && code <= 0x2064) || (code >= 0xFE00 && code <= 0xFE0F) ||
                code == 0xFEFF || code == 0x2BC;
    bool divides = (code >= 0x80 && code < 0xC0) || code == 0xD7 || code == 0xF7 ||
                   (code >= 0x2000 && code <= 0x2BFF) || (code >= 0x3000 && code <= 0x3004) ||
                   (code >= 0x3008 && code <= 0x3030) || code == 0x30FB ||
                   (code >= 0xFE10 && code <= 0xFE6F) || (code >= 0xFF5F && code <= 0xFF65);
    return gone ? -1 : divides ? 1 : 0;
}

static uint32_t code_of(const uint8_t *at, size_t step)
{
    uint32_t code = step == 1 ? at[0] : at[0] & (0x7FU >> step);
    for (size_t i = 1; i < step; i++) {
        code = code << 6 | (at[i] & 0x3FU);
    }
    return code;
}

static void text_fold(struct proto_span text, struct folded *folded)
{
    folded->bytes = 0;
    for (size_t at = 0; at < text.bytes;) {
        size_t step = proto_utf8_step(text.data + at, text.bytes - at);
        uint32_t code = step == 0 ? ' ' : code_of(text.data + at, step);
        if (code >= 0xFF01 && code <= 0xFF5E) {
            code -= 0xFEE0; /* full-width */
        }
        const char *letters = code < 0x80 ? NULL : fold_find(code);
        if (code < 0x80) {
            ascii_fold(folded, code);
        } else if (letters != NULL) {
            folded_add(folded, letters, strlen(letters));
        } else if (sign_kind(code) > 0) {
            folded_add(folded, " ", 1);
        } else if (sign_kind(code) == 0) {
            folded_add(folded, (const char *)text.data + at, step);
        }
        at += step == 0 ? 1 : step;
    }
}

/* Words of a name under work, in the folded text or in a table. */
struct words {
    struct proto_span list[RAW_WORDS];
    size_t count;
    char joined[FOLDED_BYTES]; /* of letters that became one word */
    size_t joined_bytes;
    const char *form;
};

static void word_add(struct words *words, const char *text, size_t bytes)
{
    if (bytes > 0 && words->count < RAW_WORDS) {
        words->list[words->count++] = (struct proto_span){(const uint8_t *)text, bytes};
    }
}

/* One letter of ASCII. */
static bool is_letter(struct proto_span word)
{
    return word.bytes == 1 && word.data[0] >= 'a' && word.data[0] <= 'z';
}

/* Makes one word of those of list[from … from + count). */
static void words_join(struct words *words, size_t from, size_t count)
{
    char *text = words->joined + words->joined_bytes;
    for (size_t i = 0; i < count; i++) {
        words->joined[words->joined_bytes++] = (char)words->list[from + i].data[0];
    }
    words->list[from] = (struct proto_span){(const uint8_t *)text, count};
    memmove(words->list + from + 1, words->list + from + count,
            (words->count - from - count) * sizeof *words->list);
    words->count -= count - 1;
}

/* What stands between two blanks: "s.p.a." is one word, "booking.com" two. */
static void chunk_divide(struct words *words, const char *text, size_t bytes)
{
    size_t first = words->count;
    size_t start = 0;
    bool letters = true;
    for (size_t i = 0; i <= bytes; i++) {
        if (i == bytes || text[i] == '.') {
            size_t before = words->count;
            word_add(words, text + start, i - start);
            letters &= words->count == before || is_letter(words->list[before]);
            start = i + 1;
        }
    }
    if (letters && words->count - first > 1) {
        words_join(words, first, words->count - first);
    }
}

static void text_divide(const struct folded *folded, bool brackets, struct words *words)
{
    size_t depth = 0;
    size_t start = 0;
    words->count = 0;
    words->joined_bytes = 0;
    for (size_t i = 0; i <= folded->bytes; i++) {
        char c = i < folded->bytes ? folded->text[i] : ' ';
        if (c != ' ' && c != '(' && c != ')') {
            continue;
        }
        if (depth == 0 || brackets) {
            chunk_divide(words, folded->text + start, i - start);
        }
        depth += c == '(';
        depth -= c == ')' && depth > 0;
        start = i + 1;
    }
}

static bool is_stop(struct proto_span word)
{
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        if (proto_span_is(word, stops[i])) {
            return true;
        }
    }
    return false;
}

static void stops_drop(struct words *words)
{
    size_t kept = 0;
    for (size_t i = 0; i < words->count; i++) {
        kept += !is_stop(words->list[i]);
    }
    if (kept == 0) {
        return;
    }
    kept = 0;
    for (size_t i = 0; i < words->count; i++) {
        if (!is_stop(words->list[i])) {
            words->list[kept++] = words->list[i];
        }
    }
    words->count = kept;
}

/* Letters beside each other: "A. O. Smith" is "ao smith". */
static void letters_join(struct words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        size_t run = 0;
        while (i + run < words->count && is_letter(words->list[i + run])) {
            run++;
        }
        if (run > 1) {
            words_join(words, i, run);
        }
    }
}

/* How many words the form has if they stand from list[at] on; 0 if they do not. */
static size_t form_fits(const struct words *words, size_t at, const char *form)
{
    size_t count = 0;
    while (*form != '\0') {
        size_t bytes = strcspn(form, " ");
        if (at + count == words->count || words->list[at + count].bytes != bytes ||
            memcmp(words->list[at + count].data, form, bytes) != 0) {
            return 0;
        }
        count++;
        form += bytes + (form[bytes] == ' ');
    }
    return count;
}

/* Takes the longest legal form from one end; false if there is none. The one that stands outermost
 * is the company's. */
static bool form_take(struct words *words, enum place place)
{
    size_t best = 0;
    const char *group = NULL;
    struct proto_span last = words->list[words->count - 1];
    size_t limit = words->count < FORM_WORDS_MAX + 1 ? words->count : FORM_WORDS_MAX + 1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t fits = 0;
        if (place == FRONT && forms[i].place == FRONT) {
            fits = form_fits(words, 0, forms[i].words);
        }
        bool may_end = place == END &&
                       (uint8_t)forms[i].words[forms[i].bytes - 1] == last.data[last.bytes - 1];
        for (size_t back = 1; may_end && back < limit && fits == 0; back++) {
            size_t count = form_fits(words, words->count - back, forms[i].words);
            fits = count == back ? count : 0;
        }
        if (fits > best && fits < words->count) {
            best = fits;
            group = forms[i].group;
        }
    }
    if (best == 0) {
        return false;
    }
    if (place == FRONT) {
        memmove(words->list, words->list + best, (words->count - best) * sizeof *words->list);
    }
    words->count -= best;
    words->form = words->form != NULL ? words->form : group;
    return true;
}

/* Of languages that write without blanks. */
static void glued_take(struct words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        struct proto_span *word = &words->list[i];
        for (size_t g = 0; word->data[0] >= 0x80 && g < sizeof glued / sizeof *glued; g++) {
            size_t bytes = strlen(glued[g].text);
            bool front = word->bytes > bytes && memcmp(word->data, glued[g].text, bytes) == 0;
            bool end = word->bytes > bytes &&
                       memcmp(word->data + word->bytes - bytes, glued[g].text, bytes) == 0;
            bool whole = word->bytes == bytes && words->count > 1 &&
                         memcmp(word->data, glued[g].text, bytes) == 0;
            if (front || end || whole) {
                words->form = words->form != NULL ? words->form : glued[g].group;
                word->data += front ? bytes : 0;
                word->bytes -= bytes;
                break;
            }
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < words->count; i++) {
        if (words->list[i].bytes > 0) {
            words->list[kept++] = words->list[i];
        }
    }
    words->count = kept;
}

static struct proto_span meaning_of(struct proto_span word)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (proto_span_is(word, meanings[i].written)) {
            return proto_span_text(meanings[i].meant);
        }
    }
    return word;
}

/* Whole words as far as there is room; of a first word that is too long its beginning. */
static void name_fill(const struct words *words, struct identity_name *name)
{
    size_t at = 0;
    for (size_t i = 0; i < words->count && name->token_count < IDENTITY_NAME_TOKENS; i++) {
        struct proto_span word = meaning_of(words->list[i]);
        size_t taken = at + (i > 0);
        size_t room = taken < IDENTITY_NAME_BYTES ? IDENTITY_NAME_BYTES - 1 - taken : 0;
        if (word.bytes > room && i > 0) {
            break;
        }
        word.bytes = word.bytes > room ? proto_utf8_cut(word.data, word.bytes, room) : word.bytes;
        if (i > 0) {
            name->text[at++] = ' ';
        }
        memcpy(name->text + at, word.data, word.bytes);
        name->tokens[name->token_count++] =
            (struct identity_token){(uint8_t)at, (uint8_t)word.bytes};
        at += word.bytes;
    }
    name->text[at] = '\0';
}

bool identity_name_normal(struct proto_span text, struct identity_name *name)
{
    struct folded folded;
    struct words words;
    words.form = NULL;
    name->token_count = 0;
    name->text[0] = '\0';
    name->form = NULL;
    text_fold(text, &folded);
    text_divide(&folded, false, &words);
    if (words.count == 0) {
        text_divide(&folded, true, &words);
    }
    if (words.count == 0) {
        return false;
    }
    stops_drop(&words);
    letters_join(&words);
    glued_take(&words);
    while (words.count > 1 && form_take(&words, END)) {
    }
    while (words.count > 1 && form_take(&words, FRONT)) {
    }
    name->form = words.form;
    name_fill(&words, name);
    return name->token_count > 0;
}

size_t identity_name_joined(const struct identity_name *name, char out[IDENTITY_NAME_BYTES])
{
    size_t bytes = 0;
    for (size_t i = 0; i < name->token_count; i++) {
        memcpy(out + bytes, name->text + name->tokens[i].at, name->tokens[i].bytes);
        bytes += name->tokens[i].bytes;
    }
    return bytes;
}
