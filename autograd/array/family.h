#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/autograd/array/arguments.h"
#include "attune/autograd/array/error.h"
#include "attune/autograd/array/text.h"

namespace attune {

/// A table of implementations that are selected by name at run time, such as attention scores,
/// recurrent cells, optimizers and tasks. It feeds make_x(), x_names(), flags, checks, `--help`,
/// tests and docs.
///
///     using ScoreMaker = std::function<std::shared_ptr<AttentionScore>(const ScoreOptions&)>;
///     Family<ScoreMaker>& attention_scores() {
///       static Family<ScoreMaker> family("attention score", {
///           {"dot", "h . y", "Luong et al. 2015, sec. 3.1", make_dot_score},
///       });
///       return family;
///     }
///
/// A program can add members of its own, which are then available wherever names are accepted,
/// flags included:
///
///     attention_scores().add({"mine", "...", "this program", make_my_score});
///
/// Do not add members while other threads look up names.
template <typename Maker>
class Family {
 public:
  struct Member {
    std::string name;
    std::string summary;  ///< formula or short description
    std::string source;   ///< paper and equation; may be empty
    Maker make;
  };

  /// `what` names the family in errors, such as "attention score".
  Family(std::string what, std::initializer_list<Member> members) : what_(std::move(what)) {
    for (const Member& member : members) add(member);
  }

  /// Errors: the name is empty or taken.
  void add(Member member) {
    ATTUNE_CHECK(!member.name.empty(), "{}: a member needs a name", what_);
    for (const Member& known : members_)
      ATTUNE_CHECK(known.name != member.name, "{}: the name '{}' is taken", what_, member.name);
    members_.push_back(std::move(member));
  }

  /// The member of that name. Errors: there is none; the message lists the known names.
  const Member& at(std::string_view name) const {
    for (const Member& member : members_)
      if (member.name == name) return member;
    fail("{}: '{}' is unknown; known are {}", what_, name, joined(names()));
  }

  /// Makes a member chosen in text, with options of its own after its name: "entmax",
  /// "entmax:alpha=1.3", "feed_forward:hidden=64x32,activation=tanh". The maker takes `options`,
  /// whose member `arguments` gives it those of the text, and `others`. Errors: as at() and
  /// Arguments; those of the maker.
  template <typename Options, typename... Others>
  auto make(std::string_view text, Options options, const Others&... others) const {
    const std::string_view name = text.substr(0, text.find(':'));
    const Member& member = at(name);
    text.remove_prefix(std::min(name.size() + 1, text.size()));
    const Arguments arguments(fmt::format("{} '{}'", what_, name), text);
    options.arguments = arguments;
    auto made = member.make(std::move(options), others...);
    arguments.check_all_read();
    return made;
  }

  /// All members, in the order of the table. References stay valid when others are added.
  const std::deque<Member>& members() const { return members_; }

  /// The members' names, for messages and command-line choices.
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Member& member : members_) names.push_back(member.name);
    return names;
  }

  const std::string& what() const { return what_; }

 private:
  std::string what_;
  std::deque<Member> members_;
};

namespace detail {

template <typename Maker>
struct SignatureOf;
template <typename Signature>
struct SignatureOf<std::function<Signature>> {
  using type = Signature;
};

}  // namespace detail

/// A member's maker, for its row of the table. The macro also declares the function, in the
/// surrounding namespace, so that a new member takes one source, which defines the function, and
/// one row:
///
///     {"dot", "h . y", "Luong et al. 2015, sec. 3.1", ATTUNE_MAKER(ScoreMaker, make_dot_score)},
#define ATTUNE_MAKER(Maker, function)                    \
  [] {                                                   \
    ::attune::detail::SignatureOf<Maker>::type function; \
    return &function;                                    \
  }()

}  // namespace attune
