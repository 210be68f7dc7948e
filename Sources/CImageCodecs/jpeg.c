#include "CImageCodecs.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

// More scans than any encoder makes: a small file could otherwise keep the decoder busy for hours.
#define GREATEST_SCAN_COUNT 200

typedef struct {
  struct jpeg_error_mgr manager;  // must stand first: libjpeg knows only of this part
  jmp_buf exit;
  ic_message *message;
} error_state;

static void leave(j_common_ptr info) {
  error_state *state = (error_state *)info->err;
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  snprintf(state->message->text, sizeof state->message->text, "%.180s", text);
  longjmp(state->exit, 1);
}

static void ignore_output(j_common_ptr info) { (void)info; }

// Warnings are about data that is missing or damaged, which would leave grey areas in the picture, or about
// harmless oddities.
static void weigh_warning(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
  case JWRN_JPEG_EOF:
  case JWRN_HIT_MARKER:
  case JWRN_HUFF_BAD_CODE:
  case JWRN_MUST_RESYNC:
  case JWRN_BOGUS_PROGRESSION:
  case JWRN_ARITH_BAD_CODE: leave(info);
  default: break;
  }
}

static void limit_scans(j_common_ptr info) {
  if (((j_decompress_ptr)info)->input_scan_number <= GREATEST_SCAN_COUNT) return;
  error_state *state = (error_state *)info->err;
  snprintf(state->message->text, sizeof state->message->text, "more than %d scans",
           GREATEST_SCAN_COUNT);
  longjmp(state->exit, 1);
}

static void install(struct jpeg_decompress_struct *info, error_state *state, ic_message *message) {
  info->err = jpeg_std_error(&state->manager);
  state->manager.error_exit = leave;
  state->manager.output_message = ignore_output;
  state->manager.emit_message = weigh_warning;
  state->message = message;
}

static void read_header(struct jpeg_decompress_struct *info, const uint8_t *bytes, size_t count) {
  jpeg_mem_src(info, bytes, count);
  jpeg_read_header(info, TRUE);
}

static int channel_count(const struct jpeg_decompress_struct *info) {
  return info->jpeg_color_space == JCS_GRAYSCALE ? 1 : 3;
}

int ic_jpeg_header(const uint8_t *bytes, size_t count, ic_header *header, ic_message *message) {
  struct jpeg_decompress_struct info;
  error_state state;
  memset(&info, 0, sizeof info);
  install(&info, &state, message);
  if (setjmp(state.exit)) {
    jpeg_destroy_decompress(&info);
    return 0;
  }
  jpeg_create_decompress(&info);
  read_header(&info, bytes, count);
  header->width = (int32_t)info.image_width;
  header->height = (int32_t)info.image_height;
  header->channels = channel_count(&info);
  jpeg_destroy_decompress(&info);
  return 1;
}

// Cyan, magenta, yellow, black to red, green, blue, in place: rgb = (255 - black) * (255 - cmy) / 255.
static void convert_row(uint8_t *row, size_t width, int is_inverted) {
  for (size_t x = 0; x < width; x++) {
    const uint8_t *in = row + 4 * x;
    uint8_t *out = row + 3 * x;
    uint8_t flip = is_inverted ? 0 : 255;
    unsigned light = in[3] ^ flip;
    for (int channel = 0; channel < 3; channel++) {
      unsigned product = (255 - (in[channel] ^ flip)) * light + 128;
      out[channel] = (uint8_t)(light - ((product + (product >> 8)) >> 8));
    }
  }
}

int ic_jpeg_pixels(const uint8_t *bytes, size_t count, const ic_header *header, uint8_t *pixels,
                   ic_message *message) {
  struct jpeg_decompress_struct info;
  struct jpeg_progress_mgr progress;
  error_state state;
  memset(&info, 0, sizeof info);
  memset(&progress, 0, sizeof progress);
  install(&info, &state, message);
  if (setjmp(state.exit)) {
    jpeg_destroy_decompress(&info);
    return 0;
  }
  jpeg_create_decompress(&info);
  read_header(&info, bytes, count);
  progress.progress_monitor = limit_scans;
  info.progress = &progress;
  int has_four = info.num_components == 4;
  info.out_color_space = has_four ? JCS_CMYK : channel_count(&info) == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&info);
  size_t width = info.output_width, channels = (size_t)header->channels;
  if (info.output_width != (JDIMENSION)header->width ||
      info.output_height != (JDIMENSION)header->height) {
    snprintf(message->text, sizeof message->text, "its header changed");
    jpeg_destroy_decompress(&info);
    return 0;
  }
  JSAMPARRAY wide = has_four
      ? info.mem->alloc_sarray((j_common_ptr)&info, JPOOL_IMAGE, (JDIMENSION)(width * 4), 1)
      : NULL;
  while (info.output_scanline < info.output_height) {
    uint8_t *target = pixels + info.output_scanline * width * channels;
    JSAMPROW row = has_four ? wide[0] : target;
    jpeg_read_scanlines(&info, &row, 1);
    if (has_four) {
      convert_row(row, width, info.saw_Adobe_marker);
      memcpy(target, row, width * channels);
    }
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return 1;
}
