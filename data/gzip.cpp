#include "attune/data/gzip.h"

#include <zlib.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "attune/autograd/array/error.h"

namespace attune {
namespace {

constexpr std::size_t kBlock = 1 << 16;
constexpr int kGzipOnly = 16 + MAX_WBITS;  // in zlib's encoding: no other format

}  // namespace

GzipBuffer::GzipBuffer(std::istream& compressed, std::string begin, std::string name)
    : compressed_(compressed),
      name_(std::move(name)),
      input_(std::move(begin)),
      output_(kBlock),
      zlib_(std::make_unique<z_stream>()) {
  const int code = inflateInit2(zlib_.get(), kGzipOnly);
  ATTUNE_CHECK(code == Z_OK, "{}: zlib cannot be started: {}", name_, zError(code));
  zlib_->next_in = reinterpret_cast<Bytef*>(input_.data());
  zlib_->avail_in = static_cast<uInt>(input_.size());
}

GzipBuffer::~GzipBuffer() { inflateEnd(zlib_.get()); }

void GzipBuffer::refill() {
  input_.resize(kBlock);
  errno = 0;
  compressed_.read(input_.data(), static_cast<std::streamsize>(input_.size()));
  ATTUNE_CHECK(!compressed_.bad(), "{}: cannot be read: {}", name_,
               std::generic_category().message(errno));
  zlib_->next_in = reinterpret_cast<Bytef*>(input_.data());
  zlib_->avail_in = static_cast<uInt>(compressed_.gcount());
}

GzipBuffer::int_type GzipBuffer::underflow() {
  zlib_->next_out = reinterpret_cast<Bytef*>(output_.data());
  zlib_->avail_out = static_cast<uInt>(output_.size());
  while (zlib_->avail_out == output_.size()) {
    if (zlib_->avail_in == 0) refill();
    if (zlib_->avail_in == 0) {
      ATTUNE_CHECK(is_member_complete_,
                   "{} ends before its gzip data is complete; copy or compress the file again",
                   name_);
      return traits_type::eof();
    }
    if (is_member_complete_) inflateReset(zlib_.get());
    const int code = inflate(zlib_.get(), Z_NO_FLUSH);
    is_member_complete_ = code == Z_STREAM_END;
    ATTUNE_CHECK(is_member_complete_ || code == Z_OK || code == Z_BUF_ERROR,
                 "{} is damaged, its gzip data cannot be decompressed: {}", name_,
                 zlib_->msg != nullptr ? zlib_->msg : zError(code));
  }
  setg(output_.data(), output_.data(), output_.data() + (output_.size() - zlib_->avail_out));
  return traits_type::to_int_type(*gptr());
}

}  // namespace attune
