/* api.h - what the files behind weir.h share. */
#ifndef WEIR__API_H
#define WEIR__API_H

#include "file/safetensors.h"
#include "run/model.h"

/** With `file`, it must have all tensors of the model: that is asked before memory is taken for them, so that a few words
 *  in a small file cannot ask for more than it holds; and the tensors are zero until weir__model_fill. NULL: none, and they have
 *  their initial values. */
weir_status weir__model_from_json(weir_runtime *runtime, json_t *root, const weir__st_file *file,
                                  weir_model **model, weir_error *error);

/* ---- model files ------------------------------------------------------------------------------------------------------ */

/** The tensors of a model as a file names them: parameters and buffers, in handle order. *tensors is malloc'ed; names and
 *  data are the net's. */
weir_status weir__model_tensors(const weir_model *model, weir__st_tensor **tensors, int64_t *count,
                                weir_error *error);
/** Metadata of a file: description, modules with versions, the user's metadata, and a checksum over these tensors. */
json_t *weir__model_header(const weir_model *model, const weir__st_tensor *tensors, int64_t count);
/** The modules of a model, each once, as a file records them: [{"id", "version", "plugin", "plugin_version"}]. */
json_t *weir__modules_used(const weir_model *model);
/** Compares such a list with what is installed. INVALID when one is missing or has another major version; a warning in the
 *  log when it is older, or another plugin's. */
weir_status weir__modules_check(weir_runtime *runtime, const char *path, const json_t *modules,
                                weir_error *error);
/** Builds the model that a file describes, after checking its checksum and that its plugins are there. */
weir_status weir__model_from_file(weir_runtime *runtime, const char *path, const weir__st_file *file,
                                  weir_model **model, weir_error *error);
/** CRC-32 over three texts, and over names and bytes of tensors. */
uint32_t weir__checksum(const char *model, const char *modules, const char *metadata,
                        const weir__st_tensor *tensors, int64_t count);
/** INVALID when the file's model is not what was written. */
weir_status weir__model_check_sum(const char *path, const weir__st_file *file, weir_error *error);
/** INVALID, naming the tensor, unless the file has all tensors of the model. path NULL: the message is without it. */
weir_status weir__model_fits(const weir_model *model, const char *path, const weir__st_file *file,
                             const char *prefix, weir_error *error);
/** Copies the file's tensors into a model; `prefix` stands before every name ("" or "snapshot."). */
weir_status weir__model_fill(weir_model *model, const char *path, const weir__st_file *file,
                             const char *prefix, weir_error *error);

/** Marks every derived tensor as out of date. */
void weir__model_changed(weir_model *model);

#endif
