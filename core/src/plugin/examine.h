/* examine.h - finding out what a plugin file holds, without harm to this process. */
#ifndef WEIR__EXAMINE_H
#define WEIR__EXAMINE_H

#include "plugin/report.h"
#include "plugin/vouch.h"

typedef struct weir__examiner {
    weir__reporter reporter;
    weir__vouch *cache; /* NULL: none */
    char *helper;       /* weir-probe; NULL: not found */
    int32_t timeout;    /* milliseconds that loading may take */
    int reported;       /* the user has been told that the helper cannot be used */
} weir__examiner;

void weir__examiner_open(weir__examiner *examiner, const weir__reporter *reporter);
/** Writes the cache if it has changed. */
void weir__examiner_save(weir__examiner *examiner);
void weir__examiner_close(weir__examiner *examiner);

/** What the cache remembers of an unchanged file, or NULL. */
weir__listing *weir__examiner_recall(const weir__examiner *examiner, const char *path, const struct stat *st);

/** What the file at an absolute path holds: from the cache when it is unchanged; else its ELF structure is checked and
 *  weir-probe loads it. Only when there is no usable weir-probe is it loaded here. */
weir_status weir__examine(weir__examiner *examiner, const char *path, const struct stat *st,
                          weir__listing **listing, weir_error *error);

#endif
