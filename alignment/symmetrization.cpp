#include "attune/alignment/symmetrization.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "attune/alignment/alignment.h"
#include "attune/autograd/array/error.h"
#include "attune/autograd/array/text.h"

namespace attune {
namespace {

// A set of links of a source of `sources` words and a target of `targets`.
class Links {
 public:
  Links(std::size_t sources, std::size_t targets)
      : targets_(targets), links_(sources * targets), source_(sources), target_(targets) {}

  bool has(std::size_t s, std::size_t t) const { return links_[s * targets_ + t]; }
  bool has_source(std::size_t s) const { return source_[s]; }
  bool has_target(std::size_t t) const { return target_[t]; }
  void add(std::size_t s, std::size_t t) {
    links_[s * targets_ + t] = source_[s] = target_[t] = true;
  }

  std::size_t sources() const { return source_.size(); }
  std::size_t targets() const { return targets_; }

 private:
  std::size_t targets_;
  std::vector<bool> links_;            // [sources, targets]
  std::vector<bool> source_, target_;  // whether a word has a link
};

// Calls `visit(s, t)` for each link in the order of their source positions.
template <typename Visit>
void for_each(const Links& links, const Visit& visit) {
  for (std::size_t s = 0; s < links.sources(); ++s)
    for (std::size_t t = 0; t < links.targets(); ++t)
      if (links.has(s, t)) visit(s, t);
}

// Adds the links of `all` that are beside one of `links`, of words one of which has no link.
void grow(Links& links, const Links& all) {
  constexpr std::array<std::array<std::ptrdiff_t, 2>, 8> kNeighbours = {
      {{-1, 0}, {0, -1}, {1, 0}, {0, 1}, {-1, -1}, {-1, 1}, {1, -1}, {1, 1}}};
  for (bool has_grown = true; has_grown;) {
    has_grown = false;
    for_each(links, [&](std::size_t s, std::size_t t) {
      for (const auto& [down, right] : kNeighbours) {
        // -1 becomes the largest number, which is outside too.
        const std::size_t source = s + static_cast<std::size_t>(down),
                          target = t + static_cast<std::size_t>(right);
        if (source >= links.sources() || target >= links.targets()) continue;
        if (!all.has(source, target)) continue;
        if (links.has_source(source) && links.has_target(target)) continue;
        links.add(source, target);
        has_grown = true;
      }
    });
  }
}

// Adds the links of one direction of words neither of which has a link.
void finish(Links& links, const Links& direction) {
  for_each(direction, [&](std::size_t s, std::size_t t) {
    if (!links.has_source(s) && !links.has_target(t)) links.add(s, t);
  });
}

std::vector<Link> list_of(const Links& links) {
  std::vector<Link> list;
  for_each(links, [&](std::size_t s, std::size_t t) {
    list.push_back({static_cast<int>(s), static_cast<int>(t)});
  });
  return list;
}

// The position of the other side, counted from 0.
std::size_t checked(int position, std::size_t length, const char* side) {
  ATTUNE_CHECK(position >= 0 && static_cast<std::size_t>(position) < length,
               "symmetrized: {} position {} is outside its sentence of {} words", side, position,
               length);
  return static_cast<std::size_t>(position);
}

}  // namespace

const std::vector<std::string>& symmetrization_names() {
  static const std::vector<std::string> names = {
      "forward", "backward", "intersection", "union", "grow-diag-final-and", "graded"};
  return names;
}

Symmetrization symmetrization_named(std::string_view name) {
  const std::vector<std::string>& names = symmetrization_names();
  const auto found = std::find(names.begin(), names.end(), name);
  ATTUNE_CHECK(found != names.end(), "'{}' is no symmetrization; expected one of {}", name,
               joined(names));
  return static_cast<Symmetrization>(found - names.begin());
}

ReferenceAlignment symmetrized(std::span<const int> forward, std::span<const int> backward,
                               Symmetrization how) {
  const std::size_t sources = backward.size(), targets = forward.size();
  Links ahead(sources, targets), back(sources, targets), all(sources, targets),
      both(sources, targets);
  for (std::size_t t = 0; t < targets; ++t)
    if (forward[t] != kNowhere) ahead.add(checked(forward[t], sources, "source"), t);
  for (std::size_t s = 0; s < sources; ++s)
    if (backward[s] != kNowhere) back.add(s, checked(backward[s], targets, "target"));
  for (const Links* direction : {&ahead, &back})
    for_each(*direction, [&](std::size_t s, std::size_t t) {
      all.add(s, t);
      if (ahead.has(s, t) && back.has(s, t)) both.add(s, t);
    });
  switch (how) {
    case Symmetrization::forward:
      return {.sure = list_of(ahead), .possible = {}};
    case Symmetrization::backward:
      return {.sure = list_of(back), .possible = {}};
    case Symmetrization::intersection:
      return {.sure = list_of(both), .possible = {}};
    case Symmetrization::union_:
      return {.sure = list_of(all), .possible = {}};
    case Symmetrization::grow_diag_final_and:
    case Symmetrization::graded:
      break;
  }
  Links links = both;
  grow(links, all);
  finish(links, ahead);
  finish(links, back);
  ReferenceAlignment result{.sure = list_of(links), .possible = {}};
  if (how == Symmetrization::grow_diag_final_and) return result;
  result.possible = std::move(result.sure);
  result.sure = list_of(both);
  std::erase_if(result.possible, [&](const Link& link) { return result.is_sure(link); });
  return result;
}

}  // namespace attune
