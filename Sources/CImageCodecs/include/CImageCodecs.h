#ifndef CIMAGECODECS_H
#define CIMAGECODECS_H

#include <stddef.h>
#include <stdint.h>

// Pictures in memory to pixels, through libjpeg and libpng. Both report errors by leaving through longjmp, which Swift
// can't do; here they become a return value and a text. Nothing is printed and nothing aborts.

/// What a picture is, as its header says.
typedef struct {
  int32_t width;
  int32_t height;
  /// 1 for grey, 3 for red, green, blue.
  int32_t channels;
} ic_header;

/// Why a picture can't be read; ends in 0.
typedef struct {
  char text[200];
} ic_message;

/// Reads the header of a JPEG file. Returns 1, or 0 with `message` set.
int ic_jpeg_header(const uint8_t *bytes, size_t count, ic_header *header, ic_message *message);

/// Decodes a JPEG file into `pixels`, which has room for height × width × channels bytes of `header`.
/// CMYK becomes RGB. Damaged and cut files fail. Returns 1, or 0 with `message` set.
int ic_jpeg_pixels(const uint8_t *bytes, size_t count, const ic_header *header, uint8_t *pixels,
                   ic_message *message);

/// Reads the header of a PNG file. Returns 1, or 0 with `message` set.
int ic_png_header(const uint8_t *bytes, size_t count, ic_header *header, ic_message *message);

/// Decodes a PNG file into `pixels`, which has room for height × width × channels bytes of `header`.
/// Transparency is dropped, of 16 bits the upper 8 are kept. Returns 1, or 0 with `message` set.
int ic_png_pixels(const uint8_t *bytes, size_t count, const ic_header *header, uint8_t *pixels,
                  ic_message *message);

#endif
