/* describe FILE.so - what the root of a plugin says, one fact a line, for sdk/install.sh to compare. */
#include <weir/module.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static const char *presence(const weir_root *root, int32_t index, int32_t precision)
{
    const weir_module *const module = root->module(index, precision);
    if (!module) return "absent";
    return module->precision == precision ? module->id : "of the wrong precision";
}

int main(int count, char **words)
{
    void *const object = count == 2 ? dlopen(words[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    weir_plugin_fn plugin = NULL;
    void *const symbol = object ? dlsym(object, WEIR_PLUGIN_SYMBOL) : NULL;
    if (!symbol) {
        fprintf(stderr, "%s\n", count == 2 ? dlerror() : "usage: describe FILE.so");
        return 1;
    }
    memcpy(&plugin, &symbol, sizeof plugin);
    const weir_root *const root = plugin();
    printf("magic %s\n", root->magic == WEIR_MAGIC ? "right" : "wrong");
    printf("sizes %s\n",
           root->struct_size == sizeof *root && root->fingerprint->struct_size == sizeof(weir_fingerprint)
               ? "right"
               : "wrong");
    printf("name %s\nversion %s\nneeds %s\n", root->name, root->version,
           root->needs && *root->needs ? root->needs : "nothing");
    for (int32_t i = 0; i < root->module_count(); i++)
        printf("module %d: f32 %s, f64 %s\n", (int)i, presence(root, i, WEIR_F32),
               presence(root, i, WEIR_F64));
    printf("beyond: %s, %s, %s\n", presence(root, root->module_count(), WEIR_F32),
           presence(root, -1, WEIR_F64), presence(root, 0, 16));
    return 0;
}
