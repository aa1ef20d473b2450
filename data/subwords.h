#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

/// How a subword model is trained.
struct SubwordOptions {
  /// "unigram" (Kudo 2018) keeps the pieces that make the text most probable; "bpe" (Sennrich et
  /// al. 2016) joins the most frequent pair of pieces again and again.
  std::string model = "unigram";
  int size = 8000;  ///< most pieces, with the special ones; text may be too short for so many
};

/// Splits text into subwords, by SentencePiece (Kudo and Richardson 2018). A piece that begins a
/// word starts with the symbol U+2581, and white space is written as one space between words. The
/// ids of special tokens are those of Vocabulary.
class SubwordModel {
 public:
  /// The symbol that stands for the space before a word: U+2581.
  static constexpr std::string_view space = "\u2581";

  /// A model of the given lines, which does not depend on the number of threads.
  /// Errors: an unknown model; the lines have no text; `size` is too small to hold every character.
  static SubwordModel train(std::span<const std::string> lines, const SubwordOptions& options);

  /// A model from the bytes of a file that SentencePiece wrote. Errors: it is no such model, or its
  /// special tokens have other ids.
  explicit SubwordModel(std::string bytes);

  /// The bytes of the model, as SentencePiece's own programs read them from a file.
  const std::string& bytes() const { return bytes_; }

  /// All pieces, by id, with the special tokens first.
  std::vector<std::string> pieces() const;

  /// The pieces of `line`, also those that are not in the model.
  std::vector<std::string> split(std::string_view line) const;

 private:
  struct Processor;
  std::string bytes_;
  std::shared_ptr<const Processor> processor_;
};

}  // namespace attune
