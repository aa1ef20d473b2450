#include "attune/data/subwords.h"

#include <sentencepiece_trainer.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/text.h"
#include "attune/data/vocabulary.h"

namespace attune {
namespace {

constexpr std::array<std::string_view, 2> model_names = {"unigram", "bpe"};

// `line` with spaces for other ASCII white space, which SentencePiece would take for characters.
std::string with_spaces(std::string_view line) {
  std::string text(line);
  for (char& byte : text)
    if (byte == '\t' || byte == '\v' || byte == '\f' || byte == '\r') byte = ' ';
  return text;
}

// Whether the trainer can learn from a line. It ends the program if no line has text, or at a word
// of tens of thousands of characters.
bool is_usable(std::string_view line) {
  constexpr std::size_t kLongestWord = 10'000;  // bytes
  bool has_text = false;
  std::size_t word = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const bool is_space = line[at] == ' ' || line.substr(at).starts_with(SubwordModel::space);
    if (is_space && line[at] != ' ') at += SubwordModel::space.size() - 1;
    word = is_space ? 0 : word + 1;
    has_text = has_text || !is_space;
    if (word > kLongestWord) return false;
  }
  return has_text;
}

// The usable lines, for the trainer.
class Lines : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(std::span<const std::string> lines) : left_(lines) { Next(); }
  bool done() const override { return line_.empty(); }
  void Next() override {
    line_.clear();
    for (; line_.empty() && !left_.empty(); left_ = left_.subspan(1)) {
      line_ = with_spaces(left_.front());
      if (!is_usable(line_)) line_.clear();
    }
  }
  const std::string& value() const override { return line_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::span<const std::string> left_;
  std::string line_;
};

// The last part of a message such as "src/trainer_interface.cc(590) [a == b] Vocabulary size ...".
std::string reason(const sentencepiece::util::Status& status) {
  std::string text = status.ToString();
  if (const std::size_t bracket = text.rfind("] "); bracket != std::string::npos)
    text.erase(0, bracket + 2);
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace

struct SubwordModel::Processor {
  sentencepiece::SentencePieceProcessor pieces;
};

SubwordModel SubwordModel::train(std::span<const std::string> lines,
                                 const SubwordOptions& options) {
  ATTUNE_CHECK(
      std::find(model_names.begin(), model_names.end(), options.model) != model_names.end(),
      "subwords: unknown model '{}'; known models: {}", options.model, joined(model_names));
  // Text that is split at fixed places by a fixed number of threads, so that sums are the same on
  // every machine. Text is normalised before, by TextForm.
  const std::unordered_map<std::string, std::string> arguments = {
      {"model_type", options.model},
      {"vocab_size", std::to_string(options.size)},
      {"hard_vocab_limit", "false"},
      {"character_coverage", "1.0"},
      {"normalization_rule_name", "identity"},
      {"max_sentence_length", "1000000"},
      {"num_threads", "16"},
      {"pad_id", std::to_string(Vocabulary::pad)},
      {"bos_id", std::to_string(Vocabulary::start)},
      {"eos_id", std::to_string(Vocabulary::end)},
      {"unk_id", std::to_string(Vocabulary::unknown)},
      {"minloglevel", "4"},
  };
  Lines iterator(lines);
  ATTUNE_CHECK(
      !iterator.done(),
      "subwords: {} lines have no text to learn a {} model from (words of more than 10,000 "
      "bytes are left out)",
      lines.size(), options.model);
  std::string bytes;
  const auto status = sentencepiece::SentencePieceTrainer::Train(arguments, &iterator, &bytes);
  ATTUNE_CHECK(status.ok(), "subwords: {} lines do not make a {} model of {} pieces: {}",
               lines.size(), options.model, options.size, reason(status));
  return SubwordModel(std::move(bytes));
}

SubwordModel::SubwordModel(std::string bytes) : bytes_(std::move(bytes)) {
  auto processor = std::make_shared<Processor>();
  sentencepiece::SentencePieceProcessor& pieces = processor->pieces;
  const auto status = pieces.LoadFromSerializedProto(bytes_);
  ATTUNE_CHECK(status.ok(), "subwords: {} bytes are not a model of SentencePiece", bytes_.size());
  ATTUNE_CHECK(pieces.pad_id() == Vocabulary::pad && pieces.bos_id() == Vocabulary::start &&
                   pieces.eos_id() == Vocabulary::end && pieces.unk_id() == Vocabulary::unknown,
               "subwords: the special tokens of the model have the ids {} {} {} {}; expected {} {} "
               "{} {} for <pad>, <s>, </s> and <unk>",
               pieces.pad_id(), pieces.bos_id(), pieces.eos_id(), pieces.unk_id(), Vocabulary::pad,
               Vocabulary::start, Vocabulary::end, Vocabulary::unknown);
  processor_ = std::move(processor);
}

std::vector<std::string> SubwordModel::pieces() const {
  std::vector<std::string> all;
  for (int id = 0; id < processor_->pieces.GetPieceSize(); ++id)
    all.push_back(processor_->pieces.IdToPiece(id));
  return all;
}

std::vector<std::string> SubwordModel::split(std::string_view line) const {
  return processor_->pieces.EncodeAsPieces(with_spaces(line));
}

}  // namespace attune
