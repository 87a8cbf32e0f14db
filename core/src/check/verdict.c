/* verdict.c - the few words a check has. */
#include "check/verdict.h"
#include "check/open.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

void weir__measure(weir__verdict *verdict, double figure)
{
    if (isnan(figure)) figure = INFINITY;
    if (figure > verdict->figure) verdict->figure = figure;
}

void weir__object(weir__verdict *verdict, const char *format, ...)
{
    verdict->figure = INFINITY;
    if (verdict->note[0]) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verdict->note, sizeof verdict->note, format, arguments);
    va_end(arguments);
}

void weir__remark(weir__verdict *verdict, const char *format, ...)
{
    if (verdict->note[0]) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verdict->note, sizeof verdict->note, format, arguments);
    va_end(arguments);
}

void weir__skip(weir__verdict *verdict)
{
    verdict->skipped = 1;
}

int weir__served(weir__verdict *verdict, const weir__subject *subject, weir_status status, const char *call)
{
    static const char *const words[] = {"OK", "DISCARD", "UNSUPPORTED", "INVALID", "ERROR", "FATAL"};
    if (status == WEIR_OK) return 1;
    if (status == WEIR_UNSUPPORTED) {
        weir__skip(verdict);
        return 0;
    }
    const char *const word = status > 0 && status <= WEIR_FATAL ? words[status] : "no status of the ABI";
    const char *const message = weir__solo_message(subject->solo);
    weir__object(verdict, "%s returns %s on valid points%s%s", call, word, *message ? ": " : "", message);
    return 0;
}

int weir__all_there(weir__verdict *verdict, const void *const *pointers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pointers[i]) continue;
        weir__object(verdict, "out of memory");
        return 0;
    }
    return 1;
}

int weir__open_again(weir__subject *fresh, const weir__subject *subject, weir__verdict *verdict)
{
    weir_error error;
    weir_status status =
        weir__subject_open(fresh, subject->candidate, &subject->setting, subject->precision, &error);
    if (status == WEIR_OK && subject->weights == WEIR__TRAINED) {
        status = weir__subject_train(fresh, &error);
        if (status != WEIR_OK) weir__subject_close(fresh);
    }
    fresh->walled = status == WEIR_OK && subject->walled;
    if (status == WEIR_OK) return 1;
    weir__object(verdict, "%.200s", error.message);
    return 0;
}
