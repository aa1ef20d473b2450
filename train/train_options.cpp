#include "attune/train/train_options.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "attune/autograd/array/text.h"
#include "attune/data/tasks.h"
#include "attune/layers/all.h"
#include "attune/models/all.h"
#include "attune/optim/all.h"
#include "attune/train/validation.h"

namespace attune {
namespace {

constexpr Range kFrom0 = {.low = 0}, kFrom1 = {.low = 1};
constexpr Range kSize = {.low = 1, .high = std::numeric_limits<int>::max()};
constexpr Range kShare = {.high = 1};
constexpr Range kShareBelow1 = {.high = 1, .below_high = true};

// A help text: `purpose`, then a line for each member of a family with its name and summary.
template <typename Maker>
std::string with_members(const std::string& purpose, const Family<Maker>& family) {
  std::size_t width = 11;
  for (const auto& member : family.members()) width = std::max(width, member.name.size());
  std::string text = purpose + ":";
  for (const auto& member : family.members())
    text += fmt::format("\n  {:<{}}{}", member.name, width + 2, member.summary);
  return text;
}

std::vector<std::string> attention_names() {
  std::vector<std::string> names = score_names();
  names.emplace_back("none");
  return names;
}

std::vector<Field> data_fields(DataOptions& o) {
  return {
      {.name = "task",
       .value = &o.task,
       .help = with_members("a synthetic task, examples made up", tasks()),
       .choices = task_names(),
       .takes_arguments = true},
      {.name = "data",
       .value = &o.file,
       .help = "pairs to learn from instead, one a line: source TAB target; - reads standard "
               "input; files "
               "may be compressed with gzip",
       .content = "FILE",
       .excludes = {"task", "min_length"}},
      {.name = "source",
       .value = &o.source,
       .help = "the same in two files, of sources and of targets, one a line",
       .content = "FILE",
       .needs = "target",
       .stands_for = "data",
       .excludes = {"data", "task", "min_length"}},
      {.name = "target",
       .value = &o.target,
       .help = "the targets of `source`, line by line",
       .content = "FILE",
       .needs = "source"},
      {.name = "valid",
       .value = &o.valid,
       .help = "pairs to measure progress on; the best model on them is kept",
       .content = "FILE",
       .needs = "data"},
      {.name = "valid_source",
       .value = &o.valid_source,
       .help = "the same in two files, of sources and of targets",
       .content = "FILE",
       .needs = "valid_target",
       .stands_for = "valid",
       .excludes = {"valid"}},
      {.name = "valid_target",
       .value = &o.valid_target,
       .help = "the targets of `valid_source`, line by line",
       .content = "FILE",
       .needs = "valid_source"},
      {.name = "valid_count",
       .value = &o.valid_count,
       .help = "measure on a random sample of so many sources, which `seed` fixes; all of `valid` "
               "by default; of a task, measure on so many examples that it does not train on",
       .range = kFrom1},
      reference_alignment_field(o.reference_alignment, "valid"),
      {.name = "source_tokens",
       .value = &o.source_tokens,
       .help = "how to cut sources of `data`",
       .choices = {"chars", "words", "subwords"},
       .needs = "data"},
      {.name = "target_tokens",
       .value = &o.target_tokens,
       .help = "how to cut targets of `data`",
       .choices = {"chars", "words", "subwords"},
       .needs = "data"},
      {.name = "vocabulary",
       .value = &o.vocabulary,
       .help = "most pieces of a vocabulary of subwords; 8000 by default",
       .range = kFrom1,
       .needs = "data"},
      {.name = "subword_model",
       .value = &o.subword_model,
       .help = "how SentencePiece finds subwords: unigram keeps the pieces that make the text most "
               "probable, bpe joins frequent pairs",
       .choices = {"unigram", "bpe"},
       .needs = "data"},
      {.name = "joint_vocabulary",
       .value = &o.joint_vocabulary,
       .help = "make one vocabulary of sources and targets, or one of each (the default)",
       .needs = "data"},
      {.name = "subword_dropout",
       .value = &o.subword_dropout,
       .help =
           "share of the merges of bpe that are left out at random in training, such as 0.1, so "
           "that words are cut in many ways (Provilkov et al. 2020); 0: none (the default)",
       .range = {.low = 0, .high = 1, .below_high = true},
       .needs = "data"},
      {.name = "min_count",
       .value = &o.min_count,
       .help = "leave chars and words that occur fewer times in `data` out of the vocabularies; "
               "they are read as <unk>",
       .range = kFrom1,
       .needs = "data"},
      {.name = "max_vocabulary",
       .value = &o.max_vocabulary,
       .help = "most chars or words of a vocabulary, the most frequent ones; any number by default",
       .range = kFrom1,
       .needs = "data"},
      {.name = "rare_as_unknown",
       .value = &o.rare_as_unknown,
       .help = "make the model learn to read unknown tokens: in training, read a source token that "
               "occurs n times as <unk> with probability a / (a + n), where a is this number, such "
               "as 0.25; 0: never (the default)",
       .range = {.low = 0},
       .needs = "data"},
      {.name = "lowercase",
       .value = &o.lowercase,
       .help = "read text in lower case, or as it is (the default); outputs are in lower case too",
       .needs = "data"},
      {.name = "normalization",
       .value = &o.normalization,
       .help = "Unicode's normal form in which text is read: nfc composes accents, nfkc also "
               "replaces variants of characters, such as ligatures",
       .choices = {"none", "nfc", "nfkc"},
       .needs = "data"},
      {.name = "min_length",
       .value = &o.min_length,
       .help = "fewest letters of the task's sources",
       .range = kFrom1},
      {.name = "max_length",
       .value = &o.max_length,
       .help = "the limit: most tokens of a source or target; 20 for a task, 100 for `data`",
       .range = kFrom1},
      {.name = "max_source_length",
       .value = &o.max_source_length,
       .help = "most tokens of a source of `data`; `max_length` by default",
       .range = kFrom1,
       .needs = "data"},
      {.name = "max_target_length",
       .value = &o.max_target_length,
       .help = "most tokens of a target of `data`; `max_length` by default",
       .range = kFrom1,
       .needs = "data"},
      {.name = "too_long",
       .value = &o.too_long,
       .help = "what to do with longer sources and targets: skip leaves the pair out, truncate "
               "cuts it; both are counted and reported",
       .choices = {"skip", "truncate"},
       .needs = "data"},
      {.name = "skip_bad",
       .value = &o.skip_bad,
       .help = "leave out and report lines that are no pair (no TAB, an empty side, not UTF-8); "
               "without it they are an error",
       .needs = "data"},
      {.name = "max_ratio",
       .value = &o.max_ratio,
       .help = "leave out pairs of which one side has more than so many times the tokens of the "
               "other, such as 9 for translations; they are counted and reported",
       .range = {.low = 1},
       .needs = "data"},
      {.name = "drop_duplicates",
       .value = &o.drop_duplicates,
       .help = "leave out pairs that are the same texts as one before; they are counted and "
               "reported",
       .needs = "data"},
      {.name = "token_files",
       .value = &o.token_files,
       .help = "keep the encoded pairs and their vocabularies in this folder, from which later "
               "trainings on the same files with the same options start at once",
       .content = "DIR",
       .needs = "data",
       .decides = false},
  };
}

std::vector<Field> training_fields(TrainOptions& o) {
  return {
      {.name = "batch",
       .value = &o.batch,
       .help = "examples of a batch",
       .range = kFrom1,
       .excludes = {"batch_tokens"}},
      {.name = "batch_tokens",
       .value = &o.batch_tokens,
       .help =
           "batches of as many examples of similar length as have so many tokens, with padding, "
           "on either side; instead of `batch`",
       .range = kFrom1},
      {.name = "accumulate",
       .value = &o.accumulate,
       .help = "batches of an update, whose gradients are added up: for larger batches than memory "
               "holds",
       .range = kFrom1},
      {.name = "steps",
       .value = &o.steps,
       .help = "updates of the parameters",
       .range = kFrom1,
       .excludes = {"epochs"}},
      {.name = "epochs",
       .value = &o.epochs,
       .help = "number of passes over `data`; replaces `steps`",
       .range = kFrom1},
      {.name = "validate_every",
       .value = &o.validate_every,
       .help = "steps between validations; a twentieth of `steps` by default",
       .range = kFrom1},
      {.name = "best",
       .value = &o.best,
       .help = fmt::format("measure on `valid` by which the best model is chosen: {}, or a metric "
                           "of texts with its options, such as bleu, chrf or rougeL; see `score`",
                           joined(validation_measures())),
       .content = "MEASURE"},
      {.name = "average",
       .value = &o.average,
       .help = "keep and validate the mean of the parameters at the last so many validations",
       .range = kFrom1,
       .excludes = {"ema"}},
      {.name = "ema",
       .value = &o.ema,
       .help = "keep and validate an exponential moving average of the parameters with this decay, "
               "such as 0.999",
       .range = {.low = 0, .high = 1, .above_low = true, .below_high = true}},
      {.name = "patience",
       .value = &o.patience,
       .help = "stop after so many validations in a row without improvement",
       .range = kFrom1,
       .needs = "valid"},
      {.name = "optimizer",
       .value = &o.optimizer,
       .help = with_members("rule of the updates", optimizers()),
       .choices = optimizer_names()},
      {.name = "learning_rate",
       .value = &o.optimizer_options.learning_rate,
       .help = "size of the updates; 0.002 by default",
       .alias = "learn_rate"},
      {.name = "weight_decay",
       .value = &o.optimizer_options.weight_decay,
       .help = "factor of an L2 penalty, or of adamw's decay of the weights; 0 by default, 0.01 of "
               "adamw"},
      {.name = "momentum",
       .value = &o.optimizer_options.momentum,
       .help = "of sgd, momentum, nesterov and rmsprop: how much of the previous update is in the "
               "next; 0 by default, 0.9 of momentum and nesterov",
       .range = kShare},
      {.name = "schedule",
       .value = &o.schedule,
       .help = with_members("how the learning rate changes over the steps: factor after s of S "
                            "steps",
                            schedules()),
       .choices = schedule_names()},
      {.name = "warmup",
       .value = &o.warmup,
       .help = "steps in which the learning rate first rises; 0, or a tenth of `steps` for a "
               "transformer"},
      {.name = "clip_norm",
       .value = &o.step.clip_norm,
       .help = "largest norm of a gradient; 0: any"},
      {.name = "teacher_forcing",
       .value = &o.step.teacher_forcing,
       .help = "probability that a step gets the correct previous token, not the model's own",
       .range = kShare},
      {.name = "label_smoothing",
       .value = &o.step.label_smoothing,
       .help = "share of the targets spread over all tokens",
       .range = kShareBelow1},
      {.name = "coverage_loss",
       .value = &o.step.coverage_loss,
       .help = "weight of the coverage loss, which grows if a step attends to source tokens that "
               "earlier steps attended to; of recurrent decoders",
       .range = {.low = 0}},
      {.name = "coverage_loss_from",
       .value = &o.coverage_loss_from,
       .help = "the first step of the training with `coverage_loss`",
       .range = {.low = 1},
       .needs = "coverage_loss"},
      {.name = "on_nan",
       .value = &o.on_nan,
       .help = "after an update that gives NaN or infinity: stop, or skip it and continue",
       .choices = {"stop", "skip"}},
      {.name = "seed", .value = &o.seed, .help = "seed of all random numbers"},
  };
}

std::vector<Field> saving_fields(TrainOptions& o) {
  return {
      {.name = "resume",
       .value = &o.resume,
       .help =
           "resume a training that was stopped, killed or cut short; its other options are kept",
       .decides = false},
      {.name = "save_every",
       .value = &o.save_every,
       .help = "steps between checkpoints; about a minute by default",
       .range = kFrom1,
       .decides = false},
      {.name = "keep",
       .value = &o.keep,
       .help = "checkpoints to keep, also at the end; by default the newest one until the end",
       .range = kFrom1,
       .decides = false},
      {.name = "record",
       .value = &o.record,
       .help = "examples whose attention is recorded at steps 1, 2, 5, 10, 20 and so on; 0: none",
       .range = kFrom0,
       .decides = false},
      {.name = "live",
       .value = &o.live,
       .help = "show the course of the loss and a heat map of the attention below the progress "
               "bar, where standard error is a terminal",
       .decides = false},
      {.name = "tensorboard",
       .value = &o.tensorboard,
       .help = "write events for TensorBoard as well: the numbers of metrics.jsonl, and at each "
               "validation a picture of the first source's alignment; a resumed training continues "
               "them",
       .decides = false},
  };
}

PairFiles files_of(const std::string& pairs, const std::string& source, const std::string& target) {
  return {pairs, source, target.empty() ? std::vector<std::string>() : std::vector{target}};
}

}  // namespace

PairFiles DataOptions::pairs() const { return files_of(file, source, target); }

PairFiles DataOptions::valid_pairs() const { return files_of(valid, valid_source, valid_target); }

std::vector<Field> fields(EncoderDecoderOptions& o) {
  return {
      {.name = "model",
       .value = &o.model,
       .help = with_members("what encoder and decoder are made of", decoders()),
       .choices = model_names()},
      {.name = "encoder",
       .value = &o.encoder,
       .help = with_members("encoder, if not that of `model`", encoders()),
       .choices = encoders().names(),
       .takes_arguments = true,
       .is_recent = true},
      {.name = "decoder",
       .value = &o.decoder,
       .help = "decoder, if not that of `model`",
       .choices = decoders().names(),
       .takes_arguments = true,
       .is_recent = true},
      {.name = "cell",
       .value = &o.cell,
       .help = with_members("recurrent cell of encoder and decoder", cells()),
       .choices = cell_names(),
       .not_for = "transformer",
       .instead = "it has attention where a recurrent model has cells"},
      {.name = "attention",
       .value = &o.attention,
       .help = with_members("score of a query y and a key h", attention_scores()) +
               fmt::format("\n  {:<13}{}", "none", "no attention: the last states alone"),
       .choices = attention_names(),
       .takes_arguments = true,
       .not_for = "transformer",
       .instead = "its score is always the scaled dot product, in `heads`"},
      {.name = "normalizer",
       .value = &o.normalizer,
       .help = with_members("how weights are computed from scores", normalizers()),
       .choices = normalizer_names(),
       .takes_arguments = true,
       .not_for = "transformer",
       .instead = "its weights are always the softmax of scores",
       .is_recent = true},
      {.name = "locality",
       .value = &o.locality,
       .help = with_members("what part of the source a step attends to", localities()),
       .choices = locality_names(),
       .takes_arguments = true,
       .not_for = "transformer",
       .instead = "it always attends to the whole source",
       .is_recent = true},
      {.name = "query",
       .value = &o.query,
       .help = "state that queries the source: previous, before the cell, or current, after it",
       .choices = {"previous", "current"},
       .not_for = "transformer",
       .instead = "its queries are always the current states",
       .is_recent = true},
      {.name = "input_feeding",
       .value = &o.input_feeding,
       .help = "make the attentional state a part of the next step's input, with the current "
               "`query`, or not (the default)",
       .not_for = "transformer",
       .instead = "its steps are computed at once",
       .is_recent = true},
      {.name = "output_layer",
       .value = &o.output_layer,
       .help = with_members("how the next token is predicted from state y and context c",
                            output_layers()),
       .choices = output_layer_names(),
       .takes_arguments = true,
       .not_for = "transformer",
       .instead = "its output layer is always linear",
       .is_recent = true},
      {.name = "residual",
       .value = &o.residual,
       .help = "add the output of the recurrent layer below to each layer's, or not (the default)",
       .not_for = "transformer",
       .instead = "its layers are residual, always",
       .is_recent = true},
      {.name = "layer_norm",
       .value = &o.layer_norm,
       .help = "normalise the outputs of recurrent layers, or not (the default)",
       .not_for = "transformer",
       .instead = "it always normalises, by `norm_layer`",
       .is_recent = true},
      {.name = "embedding_residual",
       .value = &o.embedding_residual,
       .help = "add each symbol's embedding, mapped to their size, to the encoder's states (the "
               "default), or not",
       .not_for = "transformer",
       .instead = "its layers are residual, always",
       .is_recent = true},
      {.name = "bidirectional",
       .value = &o.bidirectional,
       .help = "read the source in both directions (the default), or not",
       .not_for = "transformer",
       .instead = "its encoder is always bidirectional"},
      {.name = "layers",
       .value = &o.layers,
       .help = "layers on top of each other; 1 of a recurrent model, 2 of a transformer",
       .range = kSize},
      {.name = "embedding",
       .value = &o.embedding,
       .help = "size of a token's vector; 32 of a recurrent model, 128 of a transformer, whose "
               "states all have this size",
       .range = kSize},
      {.name = "hidden",
       .value = &o.hidden,
       .help = "units of the recurrent encoder in each direction",
       .range = kSize,
       .not_for = "transformer",
       .instead = "its width is `embedding`, and `feed_forward` inside of layers"},
      {.name = "heads",
       .value = &o.heads,
       .help = "heads of attention; 1 of a recurrent model, 4 of a transformer, whose `embedding` "
               "is a multiple",
       .range = kSize,
       .is_recent = !o.is_transformer()},
      {.name = "feed_forward",
       .value = &o.feed_forward,
       .help = "inner units of a transformer's feed-forward networks; 4 times `embedding` by "
               "default",
       .range = kSize,
       .not_for = "recurrent",
       .instead = "its width is `hidden`"},
      {.name = "positions",
       .value = &o.positions,
       .help = with_members("how a transformer represents positions", positional_encodings()),
       .choices = positional_encoding_names(),
       .takes_arguments = true,
       .not_for = "recurrent",
       .instead = "its cells read one token after another",
       .is_recent = true},
      {.name = "decoder_positions",
       .value = &o.decoder_positions,
       .help = "positions of a transformer decoder, if not those of `positions`",
       .choices = positional_encoding_names(),
       .takes_arguments = true,
       .not_for = "recurrent",
       .instead = "its cells read one token after another",
       .is_recent = true},
      {.name = "activation",
       .value = &o.activation,
       .help = with_members("activation of a transformer's feed-forward networks", activations()) +
               with_members("\nor a gated unit", gated_units()),
       .choices = feed_forward_activation_names(),
       .not_for = "recurrent",
       .instead = "its `cell` includes the activation",
       .is_recent = true},
      {.name = "norm",
       .value = &o.norm,
       .help = "where a transformer normalises: pre, before each part of a layer, or post, after "
               "the sum with its input",
       .choices = {"pre", "post"},
       .not_for = "recurrent",
       .instead = "its layers are not normalised",
       .is_recent = true},
      {.name = "norm_layer",
       .value = &o.norm_layer,
       .help = with_members("how a transformer normalises", norm_layers()),
       .choices = norm_layer_names(),
       .not_for = "recurrent",
       .instead = "its layers are not normalised",
       .is_recent = true},
      {.name = "tied_embeddings",
       .value = &o.tied_embeddings,
       .help = "which weights of a transformer are one: target for those of the target's embedding "
               "and the output, all for those of the source's embedding as well, if the "
               "vocabularies are equal",
       .choices = {"none", "target", "all"},
       .not_for = "recurrent",
       .instead = "its embeddings and output differ in size",
       .is_recent = true},
      {.name = "key_value_heads",
       .value = &o.key_value_heads,
       .help =
           "heads of keys and values in a transformer, each shared by several of `heads`, which "
           "is the default",
       .range = kSize,
       .not_for = "recurrent",
       .instead = "its keys are shared by all `heads`",
       .is_recent = true},
      {.name = "sequence_mixer",
       .value = &o.sequence_mixer,
       .help = with_members("what layers of a transformer have in the place of self-attention, "
                            "where S and h are a state",
                            sequence_mixers()),
       .choices = sequence_mixer_names(),
       .takes_arguments = true,
       .not_for = "recurrent",
       .instead = "its `cell` has a state",
       .is_recent = true},
      {.name = "head_mixer",
       .value = &o.head_mixer,
       .help = with_members("how heads of a transformer affect each other", head_mixers()),
       .choices = head_mixer_names(),
       .takes_arguments = true,
       .not_for = "recurrent",
       .instead = "its heads are independent",
       .is_recent = true},
      {.name = "gated_attention",
       .value = &o.gated_attention,
       .help =
           "multiply a transformer's contexts by a sigmoid of the queries, or not (the default)",
       .not_for = "recurrent",
       .instead = "its contexts enter a cell",
       .is_recent = true},
      {.name = "attention_dropout",
       .value = &o.attention_dropout,
       .help = "fraction of attention weights dropped in training of a transformer",
       .range = kShareBelow1,
       .not_for = "recurrent",
       .instead = "its `dropout` applies to embeddings, layers and output",
       .is_recent = true},
      {.name = "dropout",
       .value = &o.dropout,
       .help = "share of units dropped in training; not applied to the states that attention uses",
       .range = kShareBelow1},
  };
}

std::vector<Field> fields(TrainOptions& options) {
  std::vector<Field> all = {
      {.name = "run",
       .value = &options.run,
       .help = "the run folder to write; an earlier run in it is replaced at the end",
       .content = "DIR",
       .required = true,
       .decides = false},
      threads_field(options.threads),
  };
  const auto add = [&](const char* group, std::vector<Field> part) {
    for (Field& field : part) {
      field.group = group;
      all.push_back(std::move(field));
    }
  };
  add("What to learn", data_fields(options.data));
  add("The model", fields(options.model));
  add("Training", training_fields(options));
  add("Saving", saving_fields(options));
  return all;
}

bool applies(const Field& field, const EncoderDecoderOptions& model) {
  return (field.not_for != "recurrent" || model.has_transformer()) &&
         (field.not_for != "transformer" || model.has_recurrent());
}

EncoderDecoderOptions with_defaults(EncoderDecoderOptions options) {
  options.layers = options.layer_count();
  options.embedding = options.embedding_size();
  options.heads = options.head_count();
  options.key_value_heads = options.key_value_head_count();
  options.feed_forward = options.feed_forward_size();
  return options;
}

TrainOptions with_defaults(TrainOptions options) {
  DataOptions& data = options.data;
  if (!data.is_task()) data.task.clear();
  data.max_length = data.limit();
  data.max_source_length = data.source_limit();
  data.max_target_length = data.target_limit();
  options.model = with_defaults(options.model);
  options.optimizer_options.learning_rate = options.learning_rate();
  if (!options.epochs) options.warmup = options.warmup_steps();
  return options;
}

}  // namespace attune
