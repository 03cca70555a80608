/* The component from C: an encoder and a decoder, and a frame through both.
 *
 *     cc -std=c11 -I INCLUDE session.c -L LIB -lwasmtime -o session && ./session COMPONENT
 *
 * Wasmtime's C API (48.0). Values are trees that the caller builds and deletes; the component imports nothing, so the linker
 * is empty. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasm.h>
#include <wasmtime.h>
#include <wasmtime/component.h>

typedef wasmtime_component_val_t val;

#define CODEC "sidetone:media/codec@0.1.0"
/* A call that lasts longer than so many ticks is ended: call wasmtime_engine_increment_epoch every few ms from a thread. */
#define TICKS 10

static wasmtime_context_t *context;
static wasmtime_component_instance_t instance;
static wasmtime_component_export_index_t *codec;

static void fail(const char *what, wasmtime_error_t *error) {
  wasm_name_t message = {0};
  if (error) wasmtime_error_message(error, &message);
  fprintf(stderr, "session: %s: %.*s\n", what, (int)message.size, message.data ? message.data : "");
  exit(1);
}

static val u8(uint8_t n) { return (val){.kind = WASMTIME_COMPONENT_U8, .of.u8 = n}; }
static val u32(uint32_t n) { return (val){.kind = WASMTIME_COMPONENT_U32, .of.u32 = n}; }
static val boolean(bool b) { return (val){.kind = WASMTIME_COMPONENT_BOOL, .of.boolean = b}; }

static wasm_name_t name(const char *text) {
  wasm_name_t made;
  wasm_name_new(&made, strlen(text), text);
  return made;
}

static val enumeration(const char *text) {
  return (val){.kind = WASMTIME_COMPONENT_ENUM, .of.enumeration = name(text)};
}

static val variant(const char *tag, val payload) {
  val made = {.kind = WASMTIME_COMPONENT_VARIANT};
  made.of.variant.discriminant = name(tag);
  made.of.variant.val = wasmtime_component_val_new(&payload);
  return made;
}

static void field(val *record, size_t n, const char *key, val value) {
  record->of.record.data[n].name = name(key);
  record->of.record.data[n].val = value;
}

/* Calls a function of the codec; ends the program where it refuses. The arguments are deleted. */
static val call(const char *function, val *arguments, size_t count, bool has_result) {
  wasmtime_component_export_index_t *index =
      wasmtime_component_instance_get_export_index(&instance, context, codec, function, strlen(function));
  wasmtime_component_func_t func;
  if (!index || !wasmtime_component_instance_get_func(&instance, context, index, &func)) fail(function, NULL);
  wasmtime_component_export_index_delete(index);
  wasmtime_context_set_epoch_deadline(context, TICKS);
  val result = boolean(false);
  wasmtime_error_t *error =
      wasmtime_component_func_call(&func, context, arguments, count, &result, has_result ? 1 : 0);
  if (error) fail(function, error); /* It trapped: drop the store, and never call it again. */
  for (size_t n = 0; n < count; n++)
    if (arguments[n].kind != WASMTIME_COMPONENT_RESOURCE) wasmtime_component_val_delete(&arguments[n]);
  if (!has_result || result.kind != WASMTIME_COMPONENT_RESULT) return result;
  if (!result.of.result.is_ok) {
    wasm_name_t tag = result.of.result.val->of.variant.discriminant;
    fprintf(stderr, "session: %s refused: %.*s\n", function, (int)tag.size, tag.data);
    exit(1);
  }
  val ok = {0};
  wasmtime_component_val_clone(result.of.result.val, &ok);
  wasmtime_component_val_delete(&result);
  return ok;
}

static val encoder_config(void) {
  val config = {.kind = WASMTIME_COMPONENT_RECORD};
  wasmtime_component_valrecord_new_uninit(&config.of.record, 12);
  field(&config, 0, "sample-rate", u32(16000));
  field(&config, 1, "channels", u8(1));
  field(&config, 2, "application", enumeration("voip"));
  field(&config, 3, "bitrate", variant("bits-per-second", u32(24000)));
  field(&config, 4, "complexity", u8(5));
  field(&config, 5, "vbr", boolean(true));
  field(&config, 6, "dtx", boolean(false));
  field(&config, 7, "fec", boolean(false));
  field(&config, 8, "expected-loss", u8(0));
  field(&config, 9, "max-bandwidth", enumeration("full"));
  field(&config, 10, "signal", enumeration("voice"));
  field(&config, 11, "split", enumeration("auto"));
  return config;
}

static val tone(size_t samples) {
  val pcm = {.kind = WASMTIME_COMPONENT_LIST};
  wasmtime_component_vallist_new_uninit(&pcm.of.list, samples);
  for (size_t n = 0; n < samples; n++) {
    double sample = 8000 * sin(2 * 3.14159265358979 * 440 * (double)n / 16000);
    pcm.of.list.data[n] = (val){.kind = WASMTIME_COMPONENT_S16, .of.s16 = (int16_t)sample};
  }
  return pcm;
}

static void drop(val *resource) {
  wasmtime_error_t *error = wasmtime_component_resource_any_drop(context, resource->of.resource);
  if (error) fail("drop", error);
  wasmtime_component_val_delete(resource);
}

static void read_file(const char *path, wasm_byte_vec_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) fail(path, NULL);
  long size = ftell(file);
  rewind(file);
  wasm_byte_vec_new_uninitialized(bytes, (size_t)size);
  if (fread(bytes->data, 1, bytes->size, file) != bytes->size) fail(path, NULL);
  fclose(file);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "session: name the component: session sidetone.component.wasm\n");
    return 2;
  }
  wasm_config_t *config = wasm_config_new();
  wasmtime_config_epoch_interruption_set(config, true);
  wasm_engine_t *engine = wasm_engine_new_with_config(config);
  wasm_byte_vec_t bytes;
  read_file(argv[1], &bytes);
  wasmtime_component_t *component = NULL;
  wasmtime_error_t *error = wasmtime_component_new(engine, (const uint8_t *)bytes.data, bytes.size, &component);
  if (error) fail(argv[1], error);
  wasm_byte_vec_delete(&bytes);

  wasmtime_store_t *store = wasmtime_store_new(engine, NULL, NULL);
  wasmtime_store_limiter(store, 16 << 20, -1, -1, -1, -1);
  context = wasmtime_store_context(store);
  wasmtime_context_set_epoch_deadline(context, TICKS);
  wasmtime_component_linker_t *linker = wasmtime_component_linker_new(engine);
  error = wasmtime_component_linker_instantiate(linker, context, component, &instance);
  if (error) fail("instantiate", error);
  codec = wasmtime_component_instance_get_export_index(&instance, context, NULL, CODEC, strlen(CODEC));
  if (!codec) fail("the component has no " CODEC, NULL);

  val arguments[2] = {encoder_config()};
  val encoder = call("[static]encoder.open", arguments, 1, true);
  arguments[0] = u32(16000), arguments[1] = u8(1);
  val decoder = call("[static]decoder.open", arguments, 2, true);
  for (int frame = 1; frame <= 3; frame++) {
    arguments[0] = encoder, arguments[1] = tone(960);
    val packet = call("[method]encoder.encode", arguments, 2, true);
    size_t coded = packet.of.list.size;
    arguments[0] = decoder, arguments[1] = packet;
    val pcm = call("[method]decoder.decode", arguments, 2, true);
    printf("frame %d: 960 samples, %zu bytes, %zu samples\n", frame, coded, pcm.of.list.size);
    wasmtime_component_val_delete(&pcm);
  }
  drop(&encoder);
  drop(&decoder);
  wasmtime_component_export_index_delete(codec);
  wasmtime_component_linker_delete(linker);
  wasmtime_component_delete(component);
  wasmtime_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
