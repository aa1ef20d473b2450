#include "resume.h"

#include "attune/autograd/array/error.h"
#include "flags.h"

namespace seq2seq {

using namespace attune;

namespace {

// What must be the same. Files are compared by what they hold, when they have been read.
TrainOptions deciding(TrainOptions options) {
  options.max_length = options.limit();
  options.layers = options.layer_count();
  options.embedding = options.embedding_size();
  options.heads = options.head_count();
  options.feed_forward = options.feed_forward_size();
  if (!options.epochs) options.warmup = options.warmup_steps();
  const auto hide = [](std::string& file) {
    if (!file.empty()) file = "a file";
  };
  hide(options.data);
  hide(options.valid);
  const TrainOptions others;
  options.run = others.run;
  options.threads = others.threads;
  options.resume = others.resume;
  options.save_every = others.save_every;
  options.keep = others.keep;
  options.flags = others.flags;
  return options;
}

// Flags that make no sense together contradict each other.
bool decide_alike(const std::vector<std::string>& flags, const TrainOptions& before) {
  try {
    return deciding(parse_train_flags(flags)) == deciding(before);
  } catch (const WrongUse&) {
    return false;
  }
}

std::string name_of(const std::string& flag) { return flag.substr(0, flag.find('=')); }

// How the training was begun, for a message.
std::string begun_with(const std::vector<std::string>& recorded, const std::string& name) {
  for (const std::string& flag : recorded)
    if (name_of(flag) == name) return fmt::format("with {}", flag);
  return fmt::format("without {}", name);
}

}  // namespace

TrainOptions options_for_resuming(const TrainOptions& given,
                                  const std::vector<std::string>& recorded) {
  const TrainOptions before = parse_train_flags(recorded);
  std::vector<std::string> all = recorded;
  for (const std::string& flag : given.flags) {
    std::vector<std::string> with = recorded;
    with.push_back(flag);
    all.push_back(flag);
    ATTUNE_CHECK(
        decide_alike(with, before),
        "--resume: {} contradicts the training, which was begun {}; leave the flag out, or "
        "--resume to begin anew",
        flag, begun_with(recorded, name_of(flag)));
  }
  TrainOptions options = parse_train_flags(all);
  options.run = given.run;
  options.threads = given.threads;
  options.resume = given.resume;
  options.save_every = given.save_every;
  options.keep = given.keep;
  options.flags = before.flags;
  return options;
}

}  // namespace seq2seq
