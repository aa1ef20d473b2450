#include "attune/data/extended_vocabulary.h"

namespace attune {

ExtendedVocabulary::ExtendedVocabulary(const Vocabulary& source, const Vocabulary& target)
    : source_(source), target_(target) {}

ExtendedVocabulary::ExtendedVocabulary(const Vocabulary& source, const Vocabulary& target,
                                       std::string_view line)
    : ExtendedVocabulary(source, target, source.tokenize(line)) {}

ExtendedVocabulary::ExtendedVocabulary(const Vocabulary& source, const Vocabulary& target,
                                       std::span<const std::string> tokens)
    : ExtendedVocabulary(source, target) {
  for (const std::string& token : tokens) {
    if (target.id(token) == Vocabulary::unknown &&
        places_.emplace(token, target.size() + static_cast<int>(own_.size())).second)
      own_.push_back(token);
    const int id = source.id(token);
    ids_.push_back(id == Vocabulary::unknown ? source.size() + target_id(token) : id);
  }
}

// Of a token that the target vocabulary or the source has.
int ExtendedVocabulary::target_id(const std::string& token) const {
  const auto place = places_.find(token);
  return place == places_.end() ? target_.id(token) : place->second;
}

std::vector<int> ExtendedVocabulary::encode_target(std::string_view target,
                                                   UnknownTokens* unknown) const {
  std::vector<int> ids;
  for (const std::string& token : target_.tokenize(target)) {
    ids.push_back(target_id(token));
    if (ids.back() == Vocabulary::unknown && unknown != nullptr) unknown->add(token);
  }
  return ids;
}

const std::string& ExtendedVocabulary::source_token(int id) const {
  return id < source_.size() ? source_.token(id) : target_token(id - source_.size());
}

const std::string& ExtendedVocabulary::target_token(int id) const {
  if (id < target_.size()) return target_.token(id);
  const auto place = static_cast<std::size_t>(id - target_.size());
  return place < own_.size() ? own_[place] : target_.token(Vocabulary::unknown);
}

std::string ExtendedVocabulary::decode_target(std::span<const int> ids) const {
  std::vector<std::string> tokens;
  for (const int id : ids) {
    if (id == Vocabulary::end) break;
    if (id != Vocabulary::pad && id != Vocabulary::start) tokens.push_back(target_token(id));
  }
  return target_.join(tokens);
}

}  // namespace attune
