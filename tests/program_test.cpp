#include "program.h"
#include "address_limit.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace fs = std::filesystem;
using namespace program;

TEST_CASE("seq2seq train writes a run folder that is all that test and translate need") {
  const TemporaryFolder folder;
  const Result trained = train(folder, "--max-length 9");
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  CHECK_THAT(trained.out, contains("attention →"));
  CHECK(names_in(folder.path("run")) ==
        std::vector<std::string>{"alignment.svg", "attention-1.safetensors",
                                 "attention-2.safetensors", "attention-3.safetensors",
                                 "config.json", "metrics.jsonl", "model.safetensors", "report.html",
                                 "source.vocab", "speed.jsonl", "target.vocab"});
  CHECK_THAT(trained.out, contains("The report is run/report.html"));
  CHECK_THAT(folder.read("run/alignment.svg"), Catch::Matchers::StartsWith("<svg"));
  const std::vector<std::string> metrics = lines_of(folder.read("run/metrics.jsonl"));
  REQUIRE(metrics.size() == 3);
  const auto first = nlohmann::json::parse(metrics[0]);
  for (const char* key : {"step", "loss", "accuracy", "learning_rate", "gradient_norm"})
    CHECK(first.contains(key));

  fs::rename(folder.path("run"), folder.path("elsewhere"));
  const Result table = seq2seq(folder, "test --run elsewhere --count 20");
  CHECK(table.code == 0);
  CHECK_THAT(table.out, contains("alignment accuracy"));

  const Result json = seq2seq(folder, "test --run elsewhere --count 20 --json");
  const auto scores = nlohmann::json::parse(json.out);
  CHECK(scores.size() == 14);
  CHECK(scores.at("sequences") == 20);
  for (const char* key :
       {"sequence_accuracy", "token_accuracy", "token_error_rate", "alignment_accuracy",
        "alignment_error_rate", "alignment_precision", "alignment_recall", "attention_entropy",
        "diagonal_distance", "zero_weights", "unfinished", "skipped", "unknown_tokens"})
    CHECK(scores.at(key).is_number());

  const Result translated =
      seq2seq(folder, "translate --run elsewhere --alignment --heatmap --svg a.svg abc de");
  INFO(translated.err);
  CHECK(translated.code == 0);
  CHECK_THAT(translated.out, contains("\t"));
  CHECK_THAT(folder.read("a.svg"), contains("abc"));
  CHECK_THAT(folder.read("a-2.svg"), contains("de"));
}

TEST_CASE("seq2seq translate writes one line for each line of standard input") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  const Result lines = seq2seq(folder, "translate --run run", "abc\r\nde\nf");
  CHECK(lines_of(lines.out).size() == 3);
  const Result arguments = seq2seq(folder, "translate --run run abc de f");
  CHECK(arguments.out == lines.out);
}

TEST_CASE("seq2seq translate maps unseen tokens to unknown, with a warning") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  const Result result = seq2seq(folder, "translate --run run abÉ?");
  CHECK(result.code == 0);
  CHECK(lines_of(result.out).size() == 1);
  CHECK_THAT(result.err, Catch::Matchers::StartsWith("seq2seq: warning: training never showed "
                                                     "'É', '?'; read as <unk>, 2 in all\n"));
}

TEST_CASE("seq2seq learns from a file of pairs and scores against the closest target") {
  const TemporaryFolder folder;
  folder.write("pairs.tsv", "ab\tX Y\nba\tY X\naa\tX X\naa\tX\n");
  const Result trained =
      train(folder, "--data pairs.tsv --valid pairs.tsv --target-tokens words --steps 40");
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  CHECK_THAT(trained.err, contains("validation loss"));
  CHECK_THAT(folder.read("run/metrics.jsonl"), contains("valid_token_error_rate"));

  const Result json = seq2seq(folder, "test --run run --data pairs.tsv --json");
  const auto scores = nlohmann::json::parse(json.out);
  CHECK(scores.at("sequences") == 3);  // the two targets of aa are one question
  CHECK(scores.at("alignment_accuracy").is_null());
  CHECK(scores.at("attention_entropy").is_number());
  check_error(seq2seq(folder, "test --run run"), "--data");
}

TEST_CASE("seq2seq measures attention against reference alignments") {
  const TemporaryFolder folder;
  folder.write("pairs.tsv", "ab\tX Y\nba\tY X\naa\tX X\naa\tX\n");
  folder.write("refs", "0-0 1-1\n0-0 1-1\n0-0 0p1 1p1\n\n");
  const std::string data = "--data pairs.tsv --valid pairs.tsv --target-tokens words ";
  const Result trained = train(folder, data + "--reference-alignment refs --steps 40");
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  CHECK_THAT(trained.err, contains("alignment error rate"));
  const auto last = nlohmann::json::parse(lines_of(folder.read("run/metrics.jsonl")).back());

  const std::string test = "test --run run --data pairs.tsv --reference-alignment refs ";
  const auto scores = nlohmann::json::parse(seq2seq(folder, test + "--json").out);
  for (const char* key : {"alignment_accuracy", "alignment_error_rate", "alignment_precision",
                          "alignment_recall", "attention_entropy", "zero_weights"}) {
    CHECK(scores.at(key).is_number());
    CHECK(last.contains(std::string("valid_") + key));
  }
  // One link is found for each of the 7 target tokens; there are 5 sure ones.
  const double precision = scores.at("alignment_precision"), recall = scores.at("alignment_recall");
  CHECK(scores.at("alignment_error_rate").get<double>() ==
        Approx(1 - (7 * precision + 5 * recall) / (7 + 5)));
  CHECK_THAT(seq2seq(folder, test).out, contains("alignment error rate"));

  const std::string files = folder.read("run/config.json") + folder.read("run/metrics.jsonl");
  const auto refuses = [&](const std::string& alignments, const std::string& part) {
    INFO(alignments);
    folder.write("refs", alignments);
    check_error(seq2seq(folder, test), part);
    check_error(train(folder, data + "--reference-alignment refs"), part);
    CHECK(folder.read("run/config.json") + folder.read("run/metrics.jsonl") == files);
  };
  refuses("0-0\n0-0\n0-0\n",
          "refs:4: the file has only 3 lines; expected an alignment for each "
          "line of 'pairs.tsv'");
  refuses("0-0\n0-0\n0-0\n0-0\n\n0-0\n", "refs:6: there is no such line in 'pairs.tsv'");
  refuses("0-0\n0-0\n2-0\n0-0\n", "refs:3: link 2-0 is outside its pair");
  refuses("0-0\n0-0\n0-0\n0-1\n", "refs:4: link 0-1 is outside its pair");
  refuses("0-0\n0.0\n0-0\n0-0\n", "refs:2: '0.0' is not a link");
  check_error(train(folder, "--data pairs.tsv --reference-alignment refs"), "--valid");
  check_error(seq2seq(folder, "test --run run --reference-alignment refs"), "--data");
}

TEST_CASE("seq2seq trains and tests tasks with symbols, lengths and options of their own") {
  const TemporaryFolder folder;
  for (const std::string task : {"repeat:times=3", "no_match", "count"}) {
    INFO(task);
    const Result trained = train(folder, "--max-length 7 --task " + task);
    INFO(trained.err);
    REQUIRE(trained.code == 0);
    const Result tested = seq2seq(folder, "test --run run --count 5 --max-length 9 --json");
    INFO(tested.err);
    REQUIRE(tested.code == 0);
    const auto scores = nlohmann::json::parse(tested.out);
    CHECK(scores.at("alignment_error_rate").is_null() == (task == "count"));
  }
  CHECK_THAT(folder.read("run/source.vocab"), contains("?"));
}

TEST_CASE("seq2seq validates on examples of a task that it does not train on") {
  const TemporaryFolder folder;
  const Result trained = train(folder, "--valid-count 20 --max-length 6");
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  CHECK_THAT(trained.err, contains("alignment error rate"));
  CHECK_THAT(folder.read("run/metrics.jsonl"), contains("valid_alignment_accuracy"));
}

TEST_CASE("seq2seq training depends on the seed and not on the number of threads") {
  const TemporaryFolder folder;
  const auto run = [&](const std::string& name, const std::string& arguments) {
    REQUIRE(seq2seq(folder, "train --steps 4 --dropout 0.2 --run " + name + arguments).code == 0);
    return std::pair(folder.read(name + "/metrics.jsonl"),
                     folder.read(name + "/model.safetensors"));
  };
  const auto first = run("a", " --seed 5 --threads 1");
  CHECK((run("b", " --seed 5 --threads 1") == first));
  CHECK((run("c", " --seed 5 --threads 3") == first));
  const auto other = run("d", " --seed 6");
  CHECK(other.first != first.first);
  CHECK(other.second != first.second);
}

TEST_CASE("seq2seq stopped by Ctrl-C finishes the step, saves the model and says so") {
  const TemporaryFolder folder;
  const Result result = shell(folder, "cd '" + folder.path("") +
                                          "'\n"
                                          // In the background of a shell without job control
                                          // Ctrl-C would be ignored.
                                          "set -m\n"
                                          "\"$seq2seq\" train --run run --steps 1000000" +
                                          kSmall +
                                          "&\n"
                                          "until [ -s run/metrics.jsonl ]; do sleep 0.05; done\n"
                                          "kill -INT $!\nwait $!\n");
  INFO(result.err);
  CHECK(result.code == 130);
  CHECK_THAT(result.err, contains("the model is saved in 'run'"));
  CHECK(seq2seq(folder, "test --run run --count 5").code == 0);
}

TEST_CASE("seq2seq stops at a NaN loss and saves the last good model") {
  const TemporaryFolder folder;
  const Result result =
      train(folder, "--optimizer sgd --learning-rate 1e38 --steps 50 --clip-norm 0");
  INFO(result.err);
  CHECK(result.code == 1);
  CHECK_THAT(result.err, contains("seq2seq: error: training: at step "));
  CHECK_THAT(result.err, contains("parameter '"));
  CHECK(seq2seq(folder, "test --run run --count 5").code == 0);
  CHECK_FALSE(contains("nan").match(folder.read("run/metrics.jsonl")));
}

TEST_CASE("seq2seq explains itself") {
  const TemporaryFolder folder;
  CHECK_THAT(seq2seq(folder, "--help").out, contains("translate"));
  const Result help = seq2seq(folder, "train --help");
  CHECK(help.code == 0);
  for (const char* part : {"--task", "copy", "--attention", "=64", "Examples:"})
    CHECK_THAT(help.out, contains(part));
  check_error(seq2seq(folder, ""), "subcommand");
}

TEST_CASE("seq2seq train rejects bad flags and writes nothing") {
  const TemporaryFolder folder;
  const auto refuses = [&](const std::string& flags, const std::string& part) {
    INFO(flags);
    check_error(train(folder, flags), part);
    CHECK(folder.entries() == 0);
  };
  refuses("--cell grew", "grew");
  refuses("--attention dots", "dots");
  refuses("--task rotate", "rotate");
  refuses("--task repeat:times=0", "times");
  refuses("--task copy:times=2", "times");
  refuses("--task induction --max-length 2", "sources of the task 'induction' have 3 to ");
  refuses("--optimizer best", "best");
  refuses("--schedule up", "up");
  refuses("--steps 0", "--steps");
  refuses("--batch -4", "--batch");
  refuses("--hidden 1e-3", "--hidden");
  refuses("--learning-rate nan", "--learning-rate");
  refuses("--dropout 1", "--dropout");
  refuses("--seed -1", "--seed");
  refuses("--threads 0", "--threads");
  refuses("--min-length 5 --max-length 4", "--min-length 5");
  refuses("--no-such-flag", "--no-such-flag");
  refuses("--valid file", "--data");
}

TEST_CASE("seq2seq train rejects malformed pairs, names the line and writes nothing") {
  const TemporaryFolder folder;
  const auto refuses = [&](const std::string& bytes, const std::string& part,
                           const std::string& flags = "") {
    INFO(bytes);
    folder.write("pairs.tsv", bytes);
    check_error(train(folder, "--data pairs.tsv " + flags), part);
    CHECK(folder.entries() == 1);
  };
  refuses("", "empty");
  refuses("a\tb\nab\n", "pairs.tsv:2");
  refuses("a\tb\n\xff\tb\n", "pairs.tsv:2");
  refuses("abcdef\tb\n\xff\tb", "pairs.tsv:2", "--max-length 7");
  refuses("a\t \n", "pairs.tsv:1", "--target-tokens words");
  check_error(train(folder, "--data nowhere.tsv"), "nowhere.tsv");
  check_error(train(folder, "--data pairs.tsv --task copy"), "--task");
}

TEST_CASE("seq2seq translate reports output that cannot be written") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "--max-length 6").code == 0);
  check_error(seq2seq(folder, "translate --run run abc >/dev/full"), "standard output");
}

TEST_CASE("seq2seq trains with heads and without the encoder's embedding residual") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "--heads 2 --no-embedding-residual --attention cosine").code == 0);
  const auto config = nlohmann::json::parse(folder.read("run/config.json"));
  CHECK(config.at("model").at("heads") == 2);
  CHECK(config.at("model").at("embedding_residual") == false);
  CHECK_FALSE(config.at("model").contains("normalizer"));
  CHECK(seq2seq(folder, "translate --run run --heatmap abc").code == 0);
}

TEST_CASE("seq2seq train passes options to the optimizer and rejects unsupported ones") {
  const TemporaryFolder folder;
  const auto loss = [&](const std::string& flags) {
    const Result result = train(folder, "--optimizer sgd --learning-rate 0.5 " + flags);
    INFO(result.err);
    REQUIRE(result.code == 0);
    return nlohmann::json::parse(lines_of(folder.read("run/metrics.jsonl")).back()).at("loss");
  };
  const auto plain = loss("");
  CHECK(loss("--momentum 0.9") != plain);
  CHECK(loss("--weight-decay 0.5") != plain);
  const auto config = nlohmann::json::parse(folder.read("run/config.json"));
  CHECK(config.at("training").at("weight_decay") == 0.5);
  CHECK(config.at("training").at("momentum").is_null());
  CHECK(config.at("training").at("learning_rate") == 0.5);

  const TemporaryFolder empty;
  check_error(train(empty, "--momentum 0.9"), "'adam' has no momentum to set");
  check_error(train(empty, "--momentum 2"), "--momentum: '2' is not a number from 0 to 1");
  CHECK(empty.entries() == 0);
}

TEST_CASE("seq2seq without attention has no alignment to show") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "--attention none --cell lstm").code == 0);
  CHECK_FALSE(fs::exists(folder.path("run/alignment.svg")));
  const auto scores = nlohmann::json::parse(seq2seq(folder, "test --run run --count 5 --json").out);
  for (const char* key : {"alignment_accuracy", "alignment_error_rate", "attention_entropy"})
    CHECK(scores.at(key).is_null());
  CHECK(lines_of(seq2seq(folder, "translate --run run abc").out).size() == 1);
  check_error(seq2seq(folder, "translate --run run --heatmap abc"), "attention");
}

TEST_CASE("seq2seq trains a transformer that test and translate can load") {
  const TemporaryFolder folder;
  const Result trained = seq2seq(folder,
                                 "train --run run --model transformer --steps 3 --embedding 8 "
                                 "--heads 2 --layers 2 --feed-forward 12 --batch 8 --dropout 0.1 "
                                 "--label-smoothing 0.1 --warmup 2 --max-length 9");
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  CHECK_THAT(folder.read("run/alignment.svg"), Catch::Matchers::StartsWith("<svg"));
  const auto config = nlohmann::json::parse(folder.read("run/config.json"));
  CHECK(config.at("kind") == "transformer");
  CHECK(config.at("model").at("heads") == 2);
  CHECK(config.at("model").at("feed_forward") == 12);
  CHECK_FALSE(config.at("model").contains("cell"));
  const auto scores = nlohmann::json::parse(seq2seq(folder, "test --run run --count 9 --json").out);
  CHECK(scores.at("alignment_accuracy").is_number());
  const Result found = seq2seq(folder, "translate --run run --alignment --heatmap abc");
  INFO(found.err);
  CHECK(found.code == 0);
  CHECK_THAT(found.out, contains("\t"));
}

TEST_CASE("seq2seq train explains flags that do not apply to the chosen model") {
  const TemporaryFolder folder;
  const auto refuses = [&](const std::string& flags, const std::string& part) {
    INFO(flags);
    check_error(seq2seq(folder, "train --run run --steps 3 " + flags), part);
    CHECK(folder.entries() == 0);
  };
  const std::string transformer = "--model transformer ";
  refuses(transformer + "--cell gru", "--cell: a transformer model has no such thing");
  refuses(transformer + "--attention dot", "its score is always the scaled dot product");
  refuses(transformer + "--no-bidirectional", "its encoder is always bidirectional");
  refuses(transformer + "--hidden 64", "its width is --embedding");
  refuses(transformer + "--teacher-forcing 0.5", "leave it at 1");
  refuses(transformer + "--embedding 10 --heads 4", "--embedding 10 cannot be divided among 4");
  refuses("--hidden 9 --heads 4", "states of size 18");
  refuses(transformer + "--output-layer pointer", "its output layer is always linear");
  refuses("--input-feeding", "--input-feeding: it needs --query current");
  refuses("--attention none --query current", "--query: --attention is none");
  refuses("--attention none --output-layer pointer", "'pointer' reads the weights of attention");
  refuses("--encoder convolutional:width=0", "width");
  refuses("--encoder convolutional:size=3", "it has no option 'size'; known are width");
  refuses("--decoder convolutional", "--decoder");
  refuses("--encoder transformer --tied-embeddings target", "only weights of a transformer");
  refuses("--encoder transformer --embedding 10 --heads 4", "cannot be divided among 4");
  refuses(transformer + "--normalizer softmax", "always the softmax of scores");
  refuses("--positions rotary", "its cells read one token after another");
  refuses(transformer + "--positions rotari", "--positions");
  refuses(transformer + "--positions rotary:bass=2", "it has no option 'bass'; known are base");
  refuses(transformer + "--positions learned:longest=20", "1 positions from 20 on exceed the 20");
  refuses(transformer + "--norm before", "--norm");
  refuses(transformer + "--heads 4 --key-value-heads 3", "--heads 4 cannot share 3 heads of keys");
  refuses(transformer + "--embedding 12 --heads 4 --head-mixer differential",
          "--embedding 12 cannot be divided among 4 heads with two halves each");
  refuses(transformer + "--no-embedding-residual", "its layers are residual");
  refuses("--model recurrent --feed-forward 64", "its width is --hidden");
  refuses("--model perceptron", "perceptron");
}

TEST_CASE("seq2seq reads old runs whose config.json does not name the kind of model") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  auto config = nlohmann::ordered_json::parse(folder.read("run/config.json"));
  CHECK(config.at("kind") == "recurrent");
  config.erase("kind");
  folder.write("run/config.json", config.dump());
  CHECK(seq2seq(folder, "test --run run --count 5").code == 0);
  config["kind"] = "perceptron";
  folder.write("run/config.json", config.dump());
  check_error(seq2seq(folder, "test --run run --count 5"), "perceptron");
}

TEST_CASE("seq2seq detects a run folder that is missing, incomplete or inconsistent") {
  const TemporaryFolder folder;
  check_error(seq2seq(folder, "test --run run"), "no run folder 'run'");
  REQUIRE(train(folder, "").code == 0);
  fs::rename(folder.path("run"), folder.path("wide"));
  REQUIRE(train(folder, "--layers 2").code == 0);

  const std::string model = folder.read("run/model.safetensors");
  folder.write("run/model.safetensors", folder.read("wide/model.safetensors"));
  check_error(seq2seq(folder, "test --run run"), "another run");
  folder.write("run/model.safetensors", model.substr(0, model.size() / 2));
  check_error(seq2seq(folder, "test --run run"), "model.safetensors");
  fs::remove(folder.path("run/model.safetensors"));
  check_error(seq2seq(folder, "translate --run run abc"), "incomplete");
  folder.write("run/model.safetensors", model);
  folder.write("run/config.json", "{\"format\": 3");
  check_error(seq2seq(folder, "test --run run"), "config.json");
  folder.write("run/config.json", "{}");
  check_error(seq2seq(folder, "test --run run"), "config.json");
}

TEST_CASE("seq2seq train replaces only the files of a run") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "--attention dot").code == 0);
  folder.write("run/notes.txt", "mine");
  REQUIRE(train(folder, "--attention none").code == 0);
  CHECK_FALSE(fs::exists(folder.path("run/alignment.svg")));
  CHECK(folder.read("run/notes.txt") == "mine");
  CHECK(lines_of(folder.read("run/metrics.jsonl")).size() == 3);

  folder.write("file", "x");
  check_error(seq2seq(folder, "train --run file"), "is a file");
  fs::create_directory(folder.path("home"));
  folder.write("home/letter", "dear");
  check_error(seq2seq(folder, "train --run home"), "'letter'");
  CHECK(names_in(folder.path("home")) == std::vector<std::string>{"letter"});
}

TEST_CASE("seq2seq train changes nothing if the disk has no space for the model") {
  const TemporaryFolder folder;
  // A limit on the size of files simulates a full disk: writing more is an error.
  const std::string limited = "trap '' XFSZ; ulimit -f 8; cd '" + folder.path("") + "'; ";
  check_error(shell(folder, limited + "\"$seq2seq\" train --run a/b --steps 3"), "cannot write");
  CHECK(folder.entries() == 0);

  REQUIRE(train(folder, "").code == 0);
  const std::string model = folder.read("run/model.safetensors");
  check_error(shell(folder, limited + "\"$seq2seq\" train --run run --steps 3"), "cannot write");
  CHECK(folder.read("run/model.safetensors") == model);
  CHECK(seq2seq(folder, "test --run run --count 5").code == 0);
}

TEST_CASE("seq2seq does not grow in memory from step to step") {
  const TemporaryFolder folder;
  const auto peak_kilobytes = [&](int steps) {
    const Result result = shell(
        folder, "cd '" + folder.path("") +
                    "'\n"
                    "export ASAN_OPTIONS=quarantine_size_mb=0\n"  // what is freed must not count
                    "\"$seq2seq\" train --run run --max-length 6 --threads 1 --steps " +
                    std::to_string(steps) + kSmall +
                    ">/dev/null 2>&1 &\n"
                    "while now=$(awk '/VmHWM/ {print $2}' /proc/$!/status 2>/dev/null); do\n"
                    "  peak=${now:-$peak}; sleep 0.01\n"
                    "done\n"
                    "wait $! && echo \"$peak\"\n");
    REQUIRE(result.code == 0);
    return std::stol(result.out);
  };
  if (!fs::exists("/proc/self/status")) return;
  // With AddressSanitizer it takes some hundred steps to reach the memory of all later ones.
  const long few = peak_kilobytes(1000), many = peak_kilobytes(8000);
  INFO(few << " kB after 1000 steps, " << many << " kB after 8000");
  CHECK(few > 8000);  // a program with a model, and not the shell
  CHECK(many < few + 2000);
}

#if defined(ATTUNE_LIMITS_ADDRESSES)
TEST_CASE("seq2seq reports running out of memory with the size and a hint") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  // OpenBLAS would wait forever for the memory of all its threads.
  const std::string limited =
      "export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1; ulimit -v 1000000; cd '" + folder.path("") +
      "'; timeout 60 \"$seq2seq\" ";
  const auto fails = [&](const std::string& arguments, const std::string& way_out) {
    INFO(arguments);
    const Result result = shell(folder, limited + arguments);
    check_error(result, "iB were requested");
    CHECK(result.code == 1);
    CHECK_THAT(result.err, Catch::Matchers::StartsWith("seq2seq: error: out of memory: "));
    CHECK_THAT(result.err, Catch::Matchers::EndsWith("; " + way_out + "\n"));
  };
  const std::string smaller =
      "a smaller --batch, shorter sequences (--max-length) or a smaller model need less";
  fails("train --run large --steps 3 --hidden 50000", smaller);
  fails("train --run many --steps 3 --hidden 64 --batch 100000", smaller);
  fails("train --run many --resume", "to go on, a training needs as much as when it was begun");
  fails("test --run run --count 2 --min-length 3000000 --max-length 3000000",
        "fewer or shorter sources need less, and so does a model with smaller sizes");
}
#endif

TEST_CASE("the program lists the mechanisms of attention", "[program]") {
  const TemporaryFolder folder;
  const Result table = seq2seq(folder, "attentions");
  CHECK(table.code == 0);
  CHECK(table.err.empty());
  const Result list = seq2seq(folder, "attentions --json");
  REQUIRE(list.code == 0);
  const auto members = nlohmann::json::parse(list.out);
  std::vector<std::string> families;
  for (const auto& member : members) {
    CHECK(table.out.find("  " + member.at("name").get<std::string>() + " ") != std::string::npos);
    CHECK_FALSE(member.at("summary").get<std::string>().empty());
    if (families.empty() || families.back() != member.at("family"))
      families.push_back(member.at("family"));
  }
  CHECK(families == std::vector<std::string>{"score", "normalizer", "locality", "positions",
                                             "head_mixer", "sequence_mixer", "output_layer"});
  check_error(seq2seq(folder, "attentions extra"), "extra");
}

TEST_CASE("a mechanism that cannot be used is an error before the training", "[program]") {
  const TemporaryFolder folder;
  const auto fails = [&](const std::string& flags, const std::string& part) {
    INFO(flags);
    check_error(seq2seq(folder, "train --run run --steps 1 " + flags), part);
    CHECK(names_in(folder.path("")).empty());
  };
  fails("--attention dott", "dott not in");
  fails("--attention dot:scale=2",
        "attention score 'dot': scale=2 is given, but it has no options");
  fails("--normalizer entmax:alpha=1", "alpha is '1'; expected a number above 1");
  fails("--normalizer top_k:k=0", "k is '0'; expected a whole number from 1");
  fails("--attention location:width=4", "filters of width 4; expected an odd number");
  fails("--attention gaussian_mixture --normalizer monotonic", "both move along the source");
  fails("--locality local_m:window=-1", "window is '-1'; expected a whole number from 0");
  fails("--model transformer --locality local_m", "--locality");
  fails("--sequence-mixer mamba", "--sequence-mixer");
  fails("--model transformer --sequence-mixer retention --positions rotary",
        "--positions: rotary act on scores, which --sequence-mixer retention does not have");
  fails("--model transformer --sequence-mixer retention --decoder-positions t5",
        "--decoder-positions: t5 act on scores");
  fails("--encoder transformer --decoder-positions none",
        "--decoder-positions: the decoder is recurrent, and only a transformer has positions");
  fails("--decoder-positions none", "--decoder-positions: a recurrent model has no such thing");
  fails("--model transformer --sequence-mixer mamba:state=0",
        "--sequence-mixer: sequence mixer 'mamba': state is '0'; expected a whole number from 1");
  fails("--model transformer --sequence-mixer delta_rule:keys=elu", "keys is 'elu'; expected l2");
}

TEST_CASE("seq2seq report compares runs in a page, and refuses what is no run in one line") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  fs::rename(folder.path("run"), folder.path("first"));
  REQUIRE(train(folder, "--attention dot").code == 0);
  const Result alone = seq2seq(folder, "report --run run --output alone.html");
  CHECK(alone.code == 0);
  CHECK(alone.out == "The report is alone.html\n");
  const Result both = seq2seq(folder, "report --run first --run run --beam 2");
  INFO(both.err);
  CHECK(both.code == 0);
  CHECK(both.out == "The report is first/comparison.html\n");
  CHECK_THAT(folder.read("first/comparison.html"), contains("hypotheses"));
  check_error(seq2seq(folder, "report --run none"), "none");
  check_error(seq2seq(folder, "report"), "--run");
  check_error(seq2seq(folder, "report --run run --beam 0"), "a whole number from 1 to 1000");
  check_error(seq2seq(folder, "report --run run --output none/a.html"), "none/a.html");
  folder.write("run/attention-2.safetensors", "x");
  check_error(seq2seq(folder, "report --run run"), "attention-2.safetensors");
}
