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

// The lines, for the trainer. It refuses lines without text.
class Lines : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(std::span<const std::string> lines) : lines_(lines) {}
  bool done() const override { return at_ == lines_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return lines_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::span<const std::string> lines_;
  std::size_t at_ = 0;
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

std::vector<SubwordModel::Piece> SubwordModel::split(std::string_view line) const {
  const auto text = processor_->pieces.EncodeAsImmutableProto({line.data(), line.size()});
  std::vector<Piece> result;
  for (const auto& piece : text.pieces())
    result.push_back({piece.piece(), static_cast<int>(piece.id())});
  return result;
}

}  // namespace attune
