/* scene.c - see scene.h. */
#include "check/scene.h"

#include <stdio.h>

weir__scene *weir__scene_now;

const char *weir__call_name(int32_t call)
{
    static const char *const names[] = {"",
#define WEIR__CALL_TEXT(name) #name,
                                        WEIR__CALLS(WEIR__CALL_TEXT)
#undef WEIR__CALL_TEXT
    };
    return call > 0 && call < WEIR__CALL_COUNT ? names[call] : "";
}

void weir__scene_set(const char *setting)
{
    if (weir__scene_now) snprintf(weir__scene_now->setting, sizeof weir__scene_now->setting, "%s", setting);
}
