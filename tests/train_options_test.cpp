// The options of trainings: their lists of fields, and what comes from these.
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "attune/data/messages.h"
#include "attune/train/all.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

const Field& field_of(const std::vector<Field>& fields, const std::string& name) {
  const Field* field = find_field(fields, name);
  REQUIRE(field != nullptr);
  return *field;
}

void check_refused(const TrainOptions& options, const std::string& message) {
  CHECK_THROWS_MATCHES(check(options), OptionError, Catch::Matchers::Message(message));
}

}  // namespace

TEST_CASE("every training option has a unique name and help, and accepts its own value") {
  TrainOptions options{.run = "run"};
  std::set<std::string> names;
  for (const Field& field : fields(options)) {
    CAPTURE(field.name);
    CHECK(names.insert(field.name).second);
    CHECK_FALSE(field.help.empty());
    CHECK(field.help.find("--") == std::string::npos);
    if (!field.text().empty()) CHECK(field.read(field.text()));
    for (const std::string& choice : field.choices) CHECK(field.read(choice));
    for (const std::string& other : field.excludes)
      CHECK(find_field(fields(options), other) != nullptr);
    if (!field.needs.empty()) CHECK(find_field(fields(options), field.needs) != nullptr);
  }
}

TEST_CASE("a field parses text into its member and rejects invalid values") {
  TrainOptions options;
  const std::vector<Field> all = fields(options);
  const auto refuses = [&](const std::string& name, const std::string& text,
                           const std::string& message) {
    const Field& field = field_of(all, name);
    const std::string before = field.text();
    CHECK_FALSE(field.read(text));
    CHECK_THROWS_MATCHES(field.set(text), OptionError, Catch::Matchers::Message(message));
    CHECK(field.text() == before);
  };
  field_of(all, "steps").set("2e3");
  CHECK(options.steps == 2000);
  field_of(all, "layers").set("3");
  CHECK(options.model.layers == 3);
  field_of(all, "bidirectional").set("false");
  CHECK_FALSE(options.model.bidirectional);
  field_of(all, "learn_rate").set("0.5");  // its name in earlier versions
  CHECK(options.learning_rate() == 0.5);
  field_of(all, "seed").set("18446744073709551615");
  CHECK(options.seed == 18446744073709551615u);
  CHECK(field_of(all, "seed").text() == "18446744073709551615");

  refuses("steps", "0", "steps: '0' is not a whole number from 1");
  refuses("steps", "1.5", "steps: '1.5' is not a whole number from 1");
  refuses("hidden", "2147483648", "hidden: '2147483648' is too large");
  refuses("layers", "", "layers: '' is not a whole number from 1");
  refuses("dropout", "1", "dropout: '1' is not a number from 0 to below 1");
  refuses("teacher_forcing", "nan", "teacher_forcing: 'nan' is not a number from 0 to 1");
  refuses("threads", "1025", "threads: '1025' is not a whole number from 1 to 1024");
  refuses("bidirectional", "1", "bidirectional: '1' is neither true nor false");
  refuses("on_nan", "go", "on_nan: go not in {stop,skip}");
}

TEST_CASE("inconsistent options are rejected by name before data is read") {
  const TrainOptions good{.run = "run"};
  CHECK_NOTHROW(check(good));
  const auto with = [&](auto change) {
    TrainOptions options = good;
    change(options);
    return options;
  };
  check_refused({}, "run: there is none; it is required");
  check_refused(with([](auto& o) { o.batch = 0; }), "batch: '0' is not a whole number from 1");
  CHECK_THROWS_WITH(check(with([](auto& o) { o.data.task = "swim"; })),
                    contains("task: swim not in {copy,reverse,sort"));
  check_refused(with([](auto& o) { o.optimizer_options.learning_rate = -1; }),
                "learning_rate: '-1' is not a number from 0");
  check_refused(with([](auto& o) { o.data.min_length = 5, o.data.max_length = 4; }),
                "min_length 5 is more than max_length 4");
  check_refused(with([](auto& o) { o.data.valid = "v.tsv"; }), "valid: it needs data");
  check_refused(with([](auto& o) { o.data.file = "a.tsv", o.data.task = "copy"; }),
                "data: it excludes task");
  check_refused(with([](auto& o) { o.data.file = o.data.valid = "-"; }),
                "valid: standard input is data already");
  check_refused(with([](auto& o) { o.data.source = "a"; }), "source: it needs target");
  check_refused(with([](auto& o) { o.data.target = "a"; }), "target: it needs source");
  check_refused(with([](auto& o) { o.data.file = o.data.source = o.data.target = "a"; }),
                "source: it excludes data");
  check_refused(with([](auto& o) { o.data.source = o.data.target = "-"; }),
                "target: standard input is source already");
  check_refused(with([](auto& o) { o.data.valid_source = o.data.valid_target = "a"; }),
                "valid_source: it needs source");
  check_refused(with([](auto& o) { o.data.max_ratio = 9; }), "max_ratio: it needs data");
  CHECK_NOTHROW(check(with([](auto& o) {
    o.data.source = o.data.target = o.data.valid_source = o.data.valid_target = "a";
    o.data.max_ratio = 9, o.data.skip_bad = true, o.patience = 3;
  })));
  check_refused(with([](auto& o) { o.epochs = 2; }),
                "epochs: the examples of a task never come twice, so it has no epochs; use steps");
  check_refused(with([](auto& o) { o.model.hidden = 9, o.model.heads = 4; }),
                "heads: the decoder's states of size 18, which hidden and bidirectional make, "
                "cannot be divided among 4 heads; use a multiple");
  check_refused(with([](auto& o) { o.model.model = "transformer", o.model.cell = "lstm"; }),
                "cell: a transformer model has no such thing: it has attention where a recurrent "
                "model has cells");
  check_refused(with([](auto& o) { o.warmup = 700, o.steps = 30; }),
                "warmup: 700 steps are not fewer than the 30 of steps");
  const auto with_data = [&](auto change) {
    TrainOptions options = good;
    options.data.file = "a.tsv";
    options.data.valid = "v.tsv";
    change(options);
    return options;
  };
  CHECK_NOTHROW(check(with_data([](auto& o) { o.best = "chrf++"; })));
  CHECK_THROWS_WITH(check(with_data([](auto& o) { o.best = "beauty"; })),
                    contains("best: it is neither token_error_rate, sequence_accuracy, loss nor a "
                             "metric of texts: metric: 'beauty' is unknown"));
  check_refused(with_data([](auto& o) { o.best = "copied_words"; }),
                "best: 'copied_words' does not compare outputs with references");
  check_refused(with([](auto& o) { o.best = "bleu"; }),
                "best: it needs valid, or valid_count of a task");
  check_refused(with_data([](auto& o) { o.average = 3, o.ema = 0.9; }), "average: it excludes ema");
  check_refused(with([](auto& o) { o.ema = 1; }), "ema: '1' is not a number above 0 up to below 1");
  check_refused(with([](auto& o) { o.batch = 3, o.batch_tokens = 100; }),
                "batch: it excludes batch_tokens");
  check_refused(with_data([](auto& o) { o.data.vocabulary = 100; }),
                "vocabulary: it is for subwords; use source_tokens or target_tokens subwords");
  check_refused(with_data([](auto& o) {
                  o.data.source_tokens = o.data.target_tokens = "subwords", o.data.min_count = 2;
                }),
                "min_count: it is for chars and words; vocabulary sets the number of subwords");
  check_refused(
      with_data([](auto& o) {
        o.data.source_tokens = o.data.target_tokens = "subwords", o.data.subword_dropout = 0.1;
      }),
      "subword_dropout: it leaves out merges, which only subwords of subword_model bpe have");
  check_refused(with_data([](auto& o) {
                  o.data.source_tokens = o.data.target_tokens = "subwords";
                  o.data.subword_model = "bpe", o.data.subword_dropout = 0.1;
                  o.model.output_layer = "pointer_generator";
                }),
                "subword_dropout: output_layer pointer_generator copies tokens as they are in the "
                "source");
  check_refused(
      with_data([](auto& o) { o.data.source_tokens = "words", o.data.joint_vocabulary = true; }),
      "joint_vocabulary: sources are cut into words and targets into chars; cut both "
      "alike");
  // What has its default is refused where it was chosen on purpose.
  TrainOptions transformer = with([](auto& o) { o.model.model = "transformer"; });
  CHECK_NOTHROW(check(transformer));
  transformer.given = {"hidden"};
  check_refused(transformer,
                "hidden: a transformer model has no such thing: its width is embedding, and "
                "feed_forward inside of layers");
  CHECK_THROWS_AS(train(with([](auto& o) { o.steps = 0; })), OptionError);
}

TEST_CASE("messages name options in the program's syntax") {
  CHECK(option_name("max_length") == "max_length");
  set_option_names(flag_of);
  CHECK(option_name("max_length") == "--max-length");
  CHECK(with_option_names("`max_length`: as `seed`, say") == "--max-length: as --seed, say");
  CHECK(with_option_names("none") == "none");
  check_refused({}, "--run: there is none; it is required");
  set_option_names([](std::string_view option) { return std::string(option); });
}

TEST_CASE("a resumed training keeps its options, except for folder and threads") {
  TrainOptions begun{.run = "a", .data = {.file = "a.tsv"}, .epochs = 3, .threads = 1};
  begun.model.bidirectional = false;
  begun.given = {"seed"};
  const std::vector<std::string> chosen = chosen_options(begun);
  CHECK(chosen == std::vector<std::string>{"--data=a.tsv", "--bidirectional=false", "--epochs=3",
                                           "--seed=1"});

  TrainOptions given{.run = "b", .data = {.file = "moved.tsv"}, .threads = 2, .keep = 4};
  given.model.layers = 1;  // as by default
  const TrainOptions resumed = options_for_resuming(given, chosen);
  CHECK(resumed.run == "b");
  CHECK(resumed.data.file == "moved.tsv");
  CHECK(resumed.threads == 2);
  CHECK(resumed.keep == 4);
  CHECK(resumed.epochs == 3);
  CHECK_FALSE(resumed.model.bidirectional);

  const auto refuses = [&](auto change, const std::string& part) {
    TrainOptions other{.run = "b"};
    change(other);
    CHECK_THROWS_WITH(options_for_resuming(other, chosen), contains(part));
  };
  refuses([](auto& o) { o.seed = 2; },
          "seed=2 contradicts the training, which was begun with seed=1");
  refuses([](auto& o) { o.model.layers = 2; }, "begun without layers");
  refuses([](auto& o) { o.given = {"bidirectional"}; }, "begun with bidirectional=false");
  refuses([](auto& o) { o.given = {"task"}; }, "task=reverse contradicts");
  refuses([](auto& o) { o.optimizer_options.momentum = 0.5; }, "begun without momentum");
  given.optimizer_options.learning_rate = 0.002;  // as by default
  CHECK_NOTHROW(options_for_resuming(given, chosen));

  // As earlier versions wrote them.
  const TrainOptions old = options_for_resuming(
      {.run = "a"}, {"--learn-rate=3e-3", "--skip-bad=true", "--data=a.tsv", "--steps=2e2"});
  CHECK(old.learning_rate() == 3e-3);
  CHECK(old.data.skip_bad);
  CHECK(old.steps == 200);
  CHECK_THROWS_WITH(options_for_resuming({.run = "a"}, {"--speed=9"}), contains("--speed=9"));
}

TEST_CASE("config.json has the keys of the model's kind, in the order of earlier versions") {
  RunConfig config{.task = "sort", .model = {}};
  config.model.source_vocabulary = config.model.target_vocabulary = 30;
  CHECK(model_json(config.model) ==
        R"({"source_vocabulary":30,"target_vocabulary":30,"cell":"gru","attention":"additive",)"
        R"("bidirectional":true,"layers":1,"embedding":32,"hidden":64,"dropout":0.0})");
  config.model.heads = 2;
  config.model.embedding_residual = false;
  CHECK_THAT(model_json(config.model),
             Catch::Matchers::EndsWith(R"("dropout":0.0,"embedding_residual":false,"heads":2})"));
  const TemporaryFolder folder;
  const auto round_trip = [&] {
    folder.write("config.json", config_json(config, {.run = "run"}, {"--heads=2"}));
    return read_config(folder.path("config.json"));
  };
  RunConfig read = round_trip();
  CHECK(read.task == "sort");
  CHECK(model_json(read.model) == model_json(config.model));
  CHECK(recorded_options(folder.path("config.json")) == std::vector<std::string>{"--heads=2"});

  config.model = {.model = "transformer", .source_vocabulary = 30, .target_vocabulary = 31};
  CHECK(model_json(config.model) ==
        R"({"source_vocabulary":30,"target_vocabulary":31,"layers":2,"embedding":128,"heads":4,)"
        R"("feed_forward":512,"dropout":0.0})");
  read = round_trip();
  CHECK(read.model.model == "transformer");
  CHECK(model_json(read.model) == model_json(config.model));
}
