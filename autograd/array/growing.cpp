#include "attune/autograd/array/growing.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace attune {
namespace {

// The memory behind the rows in use, kept with the block.
struct Room : Cache {
  std::atomic<char*> first = nullptr;
  char* last = nullptr;

  // Takes `bytes` bytes, if they begin at `place`.
  bool take(char* place, std::size_t bytes) {
    if (!last || last - place < static_cast<std::ptrdiff_t>(bytes)) return false;
    return first.compare_exchange_strong(place, place + bytes);
  }
};

// `shape` with `rows` rows.
Shape with_rows(Shape shape, std::int64_t rows) {
  shape[0] = rows;
  return shape;
}

char* end_of(const Array& x) {
  return const_cast<char*>(static_cast<const char*>(x.raw())) + x.bytes();
}

}  // namespace

Array array_with_room(const Shape& shape, DType dtype) {
  constexpr std::int64_t kFewest = 8;
  const std::int64_t rows = shape[0];
  const Array all(with_rows(shape, rows + std::max(kFewest, rows / 2)), dtype);
  const Array x = all.view(0, shape);
  Room& room = x.cache<Room>();
  room.first = end_of(x);
  room.last = end_of(all);
  return x;
}

bool has_room(const Array& x) {
  const Room& room = x.cache<Room>();
  return room.first.load() == end_of(x) && room.last > end_of(x);
}

Array grown(const Array& x, const Array& more) {
  const std::int64_t rows = x.shape()[0];
  const Shape shape = with_rows(x.shape(), rows + more.shape()[0]);
  char* const end = end_of(x);
  if (x.cache<Room>().take(end, more.bytes())) {
    std::memcpy(end, more.raw(), more.bytes());
    return x.view(0, shape);
  }
  Array y = array_with_room(shape, x.dtype());
  auto* const to = static_cast<char*>(y.mutable_raw());
  std::memcpy(to, x.raw(), x.bytes());
  std::memcpy(to + x.bytes(), more.raw(), more.bytes());
  return y;
}

}  // namespace attune
