/* declaration.h - NAME.foreign.json: which functions of which library make a univariate. */
#ifndef FOREIGN_DECLARATION_H
#define FOREIGN_DECLARATION_H

#include "function.h"

#define FOREIGN_ENDING ".foreign.json"

enum { FORWARD, INVERSE, DERIVATIVE, SECOND, FOREIGN_FUNCTIONS };

typedef struct declaration {
    const char *name; /* of the file, within path */
    char path[8192];
    char summary[200];
    char type; /* 'd' or 'f': what x and u(x) are */
    double domain[2], codomain[2];
    double scale;                                  /* how far x goes before u bends */
    foreign_function functions[FOREIGN_FUNCTIONS]; /* count 0: it is not declared */
    char *text;                                    /* of the file */
    size_t size;
} declaration;

/** Reads the file at declaration->path and opens what it names. 0, with one line in `why`, on failure; what is open must be
 *  closed all the same. */
int WEIR_NAME(declaration_open)(declaration *declaration, char *why, size_t room);
void WEIR_NAME(declaration_close)(declaration *declaration);

#endif
