--- A drawing surface that becomes a PNG, through cairo by LuaJIT's FFI.
--
-- Cairo calls nothing of ours back, so the FFI is safe here. Coordinates are pixels from the top left; a canvas is drawn
-- at twice its size, so that lines and letters stay sharp on dense screens.

local ffi = require "ffi"

local core = require "weir.core"

local cdef = [[
typedef struct weir_cairo_t weir_cairo_t;
typedef struct weir_cairo_surface_t weir_cairo_surface_t;
typedef struct { double x_bearing, y_bearing, width, height, x_advance, y_advance; } weir_cairo_extents;
weir_cairo_surface_t *cairo_image_surface_create(int format, int width, int height);
weir_cairo_surface_t *cairo_image_surface_create_from_png(const char *filename);
int cairo_image_surface_get_width(weir_cairo_surface_t *surface);
int cairo_image_surface_get_height(weir_cairo_surface_t *surface);
void cairo_surface_destroy(weir_cairo_surface_t *surface);
int cairo_surface_status(weir_cairo_surface_t *surface);
int cairo_surface_write_to_png(weir_cairo_surface_t *surface, const char *filename);
unsigned char *cairo_image_surface_get_data(weir_cairo_surface_t *surface);
int cairo_image_surface_get_stride(weir_cairo_surface_t *surface);
void cairo_surface_flush(weir_cairo_surface_t *surface);
void cairo_surface_mark_dirty(weir_cairo_surface_t *surface);
weir_cairo_t *cairo_create(weir_cairo_surface_t *surface);
void cairo_destroy(weir_cairo_t *cr);
int cairo_status(weir_cairo_t *cr);
const char *cairo_status_to_string(int status);
void cairo_save(weir_cairo_t *cr);
void cairo_restore(weir_cairo_t *cr);
void cairo_translate(weir_cairo_t *cr, double x, double y);
void cairo_scale(weir_cairo_t *cr, double x, double y);
void cairo_rotate(weir_cairo_t *cr, double angle);
void cairo_set_source_rgba(weir_cairo_t *cr, double r, double g, double b, double a);
void cairo_set_source_surface(weir_cairo_t *cr, weir_cairo_surface_t *surface, double x, double y);
void *cairo_get_source(weir_cairo_t *cr);
void cairo_pattern_set_filter(void *pattern, int filter);
void cairo_pattern_set_extend(void *pattern, int extend);
void cairo_set_line_width(weir_cairo_t *cr, double width);
void cairo_set_line_join(weir_cairo_t *cr, int join);
void cairo_rectangle(weir_cairo_t *cr, double x, double y, double w, double h);
void cairo_arc(weir_cairo_t *cr, double x, double y, double radius, double from, double to);
void cairo_new_path(weir_cairo_t *cr);
void cairo_move_to(weir_cairo_t *cr, double x, double y);
void cairo_line_to(weir_cairo_t *cr, double x, double y);
void cairo_close_path(weir_cairo_t *cr);
void cairo_stroke(weir_cairo_t *cr);
void cairo_fill(weir_cairo_t *cr);
void cairo_clip(weir_cairo_t *cr);
void cairo_paint(weir_cairo_t *cr);
void cairo_select_font_face(weir_cairo_t *cr, const char *family, int slant, int weight);
void cairo_set_font_size(weir_cairo_t *cr, double size);
void cairo_text_extents(weir_cairo_t *cr, const char *text, weir_cairo_extents *extents);
void cairo_show_text(weir_cairo_t *cr, const char *text);
void *dlopen(const char *file, int mode);
]]

local FORMAT_RGB24, FILTER_NEAREST, FILTER_BILINEAR, EXTEND_PAD = 1, 3, 4, 3

local library

--- RTLD_NOW and RTLD_NODELETE: what cairo and fontconfig cache must not lose its code when Lua closes the library.
local KEEP_LOADED = 0x1002

local function cairo()
  if library then return library end
  local ok, loaded = pcall(ffi.load, "cairo.so.2")
  if not ok then ok, loaded = pcall(ffi.load, "libcairo.so.2") end
  if not ok then error("plots need cairo: install the package libcairo2", 0) end
  if not pcall(ffi.typeof, "weir_cairo_t") then ffi.cdef(cdef) end
  ffi.C.dlopen("libcairo.so.2", KEEP_LOADED)
  library = loaded
  return library
end

local canvas = {}
local Canvas = {}
Canvas.__index = Canvas

--- A white canvas.
-- @param scale number: pixels of the file for one of the canvas (2)
function canvas.new(width, height, scale)
  local c = cairo()
  scale = scale or 2
  local surface = ffi.gc(c.cairo_image_surface_create(FORMAT_RGB24, math.floor(width * scale),
    math.floor(height * scale)), c.cairo_surface_destroy)
  if c.cairo_surface_status(surface) ~= 0 then
    error(("a picture of %d x %d cannot be made"):format(width, height), 0)
  end
  local cr = ffi.gc(c.cairo_create(surface), c.cairo_destroy)
  local self = setmetatable({ surface = surface, cr = cr, width = width, height = height }, Canvas)
  c.cairo_scale(cr, scale, scale)
  self:colour { 1, 1, 1 }
  c.cairo_paint(cr)
  c.cairo_select_font_face(cr, "sans-serif", 0, 0)
  return self
end

--- A PNG file, one pixel of the canvas for each of the file, on white where it is transparent.
function canvas.load(path)
  local c = cairo()
  core.reach(path, "read")
  local surface = ffi.gc(c.cairo_image_surface_create_from_png(path), c.cairo_surface_destroy)
  local status = c.cairo_surface_status(surface)
  if status ~= 0 then
    error(("%s: not a picture that can be read: %s; PNG files can"):format(path,
      ffi.string(c.cairo_status_to_string(status))), 0)
  end
  local self = canvas.new(c.cairo_image_surface_get_width(surface), c.cairo_image_surface_get_height(surface), 1)
  c.cairo_set_source_surface(self.cr, surface, 0, 0)
  c.cairo_paint(self.cr)
  return self
end

--- Brightness from 0 (black) to 1 as an array, a row for each row of pixels of the file (Rec. 709 weights).
function Canvas:grey()
  local c = cairo()
  c.cairo_surface_flush(self.surface)
  local bytes, stride = c.cairo_image_surface_get_data(self.surface), c.cairo_image_surface_get_stride(self.surface)
  local width = c.cairo_image_surface_get_width(self.surface)
  local height = c.cairo_image_surface_get_height(self.surface)
  local array = core.array.new("f32", height, width)
  for i = 1, height do
    for j = 1, width do
      local at = (i - 1) * stride + (j - 1) * 4
      array:set(i, j, (0.0722 * bytes[at] + 0.7152 * bytes[at + 1] + 0.2126 * bytes[at + 2]) / 255)
    end
  end
  return array
end

--- {r, g, b [, a]}, each from 0 to 1.
function Canvas:colour(rgba)
  cairo().cairo_set_source_rgba(self.cr, rgba[1], rgba[2], rgba[3], rgba[4] or 1)
  return self
end

--- A filled rectangle.
function Canvas:rectangle(x, y, w, h)
  cairo().cairo_rectangle(self.cr, x, y, w, h)
  cairo().cairo_fill(self.cr)
end

--- A line through points {x1, y1, x2, y2, ...}.
function Canvas:line(points, width, closed)
  local c = cairo()
  c.cairo_set_line_width(self.cr, width or 1)
  c.cairo_set_line_join(self.cr, 1)
  c.cairo_new_path(self.cr)
  for i = 1, #points, 2 do
    if i == 1 then c.cairo_move_to(self.cr, points[i], points[i + 1])
    else c.cairo_line_to(self.cr, points[i], points[i + 1]) end
  end
  if closed then c.cairo_close_path(self.cr) end
  c.cairo_stroke(self.cr)
end

--- The area inside points {x1, y1, ...}.
function Canvas:area(points)
  local c = cairo()
  c.cairo_new_path(self.cr)
  for i = 1, #points, 2 do
    if i == 1 then c.cairo_move_to(self.cr, points[i], points[i + 1])
    else c.cairo_line_to(self.cr, points[i], points[i + 1]) end
  end
  c.cairo_close_path(self.cr)
  c.cairo_fill(self.cr)
end

--- A filled circle.
function Canvas:dot(x, y, radius)
  local c = cairo()
  c.cairo_new_path(self.cr)
  c.cairo_arc(self.cr, x, y, radius, 0, 2 * math.pi)
  c.cairo_fill(self.cr)
end

--- The FFI would take any userdata for a text and draw the memory that lies there, and so may what __tostring gives be.
local function plain(text)
  text = tostring(text)
  if type(text) ~= "string" then error(("a %s cannot be drawn as text"):format(type(text)), 0) end
  return text
end

--- Width of a text at a size.
function Canvas:text_width(text, size)
  text = plain(text)
  local extents = ffi.new "weir_cairo_extents"
  cairo().cairo_set_font_size(self.cr, size)
  cairo().cairo_text_extents(self.cr, text, extents)
  return extents.x_advance
end

--- Text at (x, y), its baseline; align 0: starts there, 0.5: centred, 1: ends there; angle in radians.
function Canvas:text(x, y, text, size, align, angle, bold)
  local c = cairo()
  c.cairo_select_font_face(self.cr, "sans-serif", 0, bold and 1 or 0)
  text = plain(text)
  local width = self:text_width(text, size)
  c.cairo_save(self.cr)
  c.cairo_translate(self.cr, x, y)
  if angle then c.cairo_rotate(self.cr, angle) end
  c.cairo_move_to(self.cr, -width * (align or 0), 0)
  c.cairo_show_text(self.cr, text)
  c.cairo_restore(self.cr)
end

--- Drawing in fn is kept inside the rectangle.
function Canvas:clipped(x, y, w, h, fn)
  local c = cairo()
  c.cairo_save(self.cr)
  c.cairo_rectangle(self.cr, x, y, w, h)
  c.cairo_clip(self.cr)
  fn()
  c.cairo_restore(self.cr)
end

--- A raster of columns x rows stretched over a rectangle; pixel(i, j) gives r, g, b from 0 to 1, i down and j right, from 1.
function Canvas:raster(x, y, w, h, columns, rows, pixel, smooth)
  local c = cairo()
  local surface = ffi.gc(c.cairo_image_surface_create(FORMAT_RGB24, columns, rows), c.cairo_surface_destroy)
  if c.cairo_surface_status(surface) ~= 0 then error("a raster of this size cannot be made", 0) end
  c.cairo_surface_flush(surface)
  local bytes, stride = c.cairo_image_surface_get_data(surface), c.cairo_image_surface_get_stride(surface)
  local function byte(value) return math.max(0, math.min(255, math.floor(255 * value + 0.5))) end
  for i = 1, rows do
    for j = 1, columns do
      local r, g, b = pixel(i, j)
      local at = (i - 1) * stride + (j - 1) * 4
      bytes[at], bytes[at + 1], bytes[at + 2] = byte(b), byte(g), byte(r)
    end
  end
  c.cairo_surface_mark_dirty(surface)
  c.cairo_save(self.cr)
  c.cairo_rectangle(self.cr, x, y, w, h)
  c.cairo_clip(self.cr)
  c.cairo_translate(self.cr, x, y)
  c.cairo_scale(self.cr, w / columns, h / rows)
  c.cairo_set_source_surface(self.cr, surface, 0, 0)
  c.cairo_pattern_set_filter(c.cairo_get_source(self.cr), smooth and FILTER_BILINEAR or FILTER_NEAREST)
  c.cairo_pattern_set_extend(c.cairo_get_source(self.cr), EXTEND_PAD)
  c.cairo_paint(self.cr)
  c.cairo_restore(self.cr)
end

--- Writes the PNG beside the path first and renames it then: never half a picture.
function Canvas:save(path)
  local c = cairo()
  core.reach(path, "write")
  local part = path .. ".part"
  local status = c.cairo_surface_write_to_png(self.surface, part)
  local ok, message = status == 0, nil
  if ok then ok, message = os.rename(part, path) end
  if ok then return path end
  os.remove(part)
  error(("%s: cannot write the picture: %s"):format(path, message or ffi.string(c.cairo_status_to_string(status))), 0)
end

return canvas
