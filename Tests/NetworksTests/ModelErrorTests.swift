import Compute
import Tensors
import TestSupport
import Testing

@testable import Networks

/// Damaged copies of the fixture `whole-editor`, loaded as an editing model.
@Suite struct ModelErrorTests {
    /// The sentence that a damaged copy gets.
    private func sentenceAfter(_ damage: (FixtureCopy) throws -> Void) throws -> String {
        let copy = try FixtureCopy("whole-editor")
        try damage(copy)
        return try #require(sentence { _ = try EditingModel(ModelFolder(path: copy.path)) }, "it must not load")
            .replacing(copy.path, with: "MODEL")
    }

    @Test func wholeCopyLoads() throws {
        let copy = try FixtureCopy("whole-editor")
        #expect(sentence { _ = try EditingModel(ModelFolder(path: copy.path)) } == nil)
    }

    @Test func noFolder() throws {
        let folder = TemporaryFolder()
        let path = folder.file("model")
        #expect(
            sentence { _ = try ModelFolder(path: path) }
                == "there is no model folder at \(path): give the path of a folder in diffusers layout")
        folder.write("model", [1])
        #expect(
            sentence { _ = try ModelFolder(path: path) }?.hasPrefix("\(path) is a file: a model is a folder") == true)
    }

    @Test(arguments: ModelFolder.Part.allCases) func missingPart(_ part: ModelFolder.Part) throws {
        #expect(
            try sentenceAfter { try $0.remove(part.rawValue) }
                == "the model MODEL has no folder \(part.rawValue); an editing model has unet, vae, text_encoder, tokenizer, "
                + "scheduler")
    }

    @Test(arguments: [
        "unet/config.json", "vae/config.json", "text_encoder/config.json", "scheduler/scheduler_config.json",
    ])
    func badConfigurationFile(_ file: String) throws {
        #expect(try sentenceAfter { try $0.remove(file) } == "cannot open MODEL/\(file): No such file or directory")
        #expect(try sentenceAfter { try $0.write(file, "") } == "MODEL/\(file) is empty")
        for text in ["hello", "[1]", "{\"a\":", "{\"a\":1e999}", String(repeating: "{\"a\":", count: 10_000)] {
            let seen = try sentenceAfter { try $0.write(file, text) }
            #expect(seen == "MODEL/\(file) is not a JSON object: check that the file is whole")
        }
    }

    @Test(arguments: [
        ("unet/diffusion_pytorch_model.safetensors", "mid_block.resnets.0.conv1.weight"),
        ("unet/diffusion_pytorch_model.safetensors", "guidance_embedding.linear_1.bias"),
        ("vae/diffusion_pytorch_model.safetensors", "decoder.skips.1.weight"),
    ])
    func missingAndMisshapenTensors(_ file: String, _ name: String) throws {
        let missing = try sentenceAfter { try $0.editTensors(file) { $0[name] = nil } }
        #expect(missing.hasPrefix("MODEL/\(file): tensor \(name) is missing; its shape should be ["))
        let misshapen = try sentenceAfter { copy in
            try copy.editTensors(file) { $0[name] = NamedTensor(name: name, shape: [3, 1], values: [1, 2, 3]) }
        }
        #expect(misshapen.hasPrefix("MODEL/\(file): tensor \(name) has the shape [3, 1], expected ["), "\(misshapen)")
    }

    @Test func indexWithoutShard() throws {
        let seen = try sentenceAfter { copy in
            try copy.remove("unet/diffusion_pytorch_model.safetensors")
            try copy.write(
                "unet/diffusion_pytorch_model.safetensors.index.json", "{\"weight_map\":{\"a\":\"x.safetensors\"}}")
        }
        #expect(seen == "cannot open MODEL/unet/x.safetensors: No such file or directory")
        #expect(
            try sentenceAfter { try $0.remove("vae/diffusion_pytorch_model.safetensors") }
                .hasPrefix("MODEL/vae has no weights: expected diffusion_pytorch_model.safetensors"))
    }

    @Test(arguments: unetKeys) func unetKey(_ bad: BadKey) throws { try check(bad, "unet/config.json") }
    @Test(arguments: autoencoderKeys) func autoencoderKey(_ bad: BadKey) throws { try check(bad, "vae/config.json") }
    @Test(arguments: textKeys) func textKey(_ bad: BadKey) throws { try check(bad, "text_encoder/config.json") }

    private func check(_ bad: BadKey, _ file: String) throws {
        let seen = try sentenceAfter { try $0.edit(file, [bad.key: bad.value]) }
        #expect(seen == "MODEL/\(file): \(bad.key) is \(bad.expected)")
    }

    /// Parts that are whole but belong to other models.
    @Test(arguments: [
        ("text_encoder", "text-quick-gelu", "the text encoder"),
        ("vae", "vae-tiny-16-latents", "an editing model with 16 latent channels takes 32"),
        ("unet", "unet-stable-diffusion-1", "the UNet takes 4 channels and gives 4; an editing model with 4 latent"),
    ])
    func partsThatDoNotFit(_ part: String, _ fixture: String, _ expected: String) throws {
        let seen = try sentenceAfter { try $0.replace(part, from: fixture) }
        #expect(seen.hasPrefix("MODEL: ") && seen.contains(expected), "\(seen)")
    }

    @Test func tokenizerThatDoesNotFit() throws {
        #expect(
            try sentenceAfter { try $0.edit("tokenizer/tokenizer_config.json", ["model_max_length": 17]) }
                == "MODEL: the tokenizer's model_max_length is 17, the text encoder takes at most 16 "
                + "(max_position_embeddings)")
    }

    @Test func decoderOfAnotherFactor() throws {
        let seen = try sentenceAfter { copy in
            try copy.edit("vae/config.json", ["skip_connections": false, "upsampling_scaling_factor": 3])
        }
        #expect(
            seen
                == "MODEL: the encoder makes pictures 8 times smaller, the decoder 18 times larger; both must be the same"
        )
    }
}

private func whole(_ seen: String, _ range: String = "1 to 65536") -> String {
    "\(seen), it must be a whole number from \(range)"
}

private let unetKeys: [BadKey] = [
    BadKey("block_out_channels", [0, 8, 8], "[0, 8, 8], it must be a list of whole numbers from 1 to 65536"),
    BadKey("block_out_channels", [Int](), "[], it must be a list of whole numbers from 1 to 65536"),
    BadKey("block_out_channels", "many", "\"many\", it must be a list of whole numbers from 1 to 65536"),
    BadKey("norm_num_groups", 3, "3, it must be a divisor of every block_out_channels"),
    BadKey("norm_num_groups", 0, whole("0")), BadKey("cross_attention_dim", -16, whole("-16")),
    BadKey("cross_attention_dim", 1e300, whole("1e+300")), BadKey("in_channels", 8.5, whole("8.5")),
    BadKey("attention_head_dim", [1, 2, 3], "[1, 2, 3], it must be a divisor of its level's channels"),
    BadKey("attention_head_dim", 0, whole("0")),
    BadKey("layers_per_block", [1, 1], "[1, 1], it must be a number or a list of 3, one a level"),
    BadKey("layers_per_block", 0, whole("0")),
    BadKey(
        "down_block_types", ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D"],
        "[\"DownBlock2D\", \"AttnDownBlock2D\", \"DownBlock2D\"], it must be a list of 3 of DownBlock2D, "
            + "CrossAttnDownBlock2D"),
    BadKey(
        "up_block_types", ["UpBlock2D"],
        "[\"UpBlock2D\"], it must be a list of 3 of UpBlock2D, CrossAttnUpBlock2D"),
    BadKey("act_fn", "snake", "\"snake\", it must be one of silu, swish, relu, gelu, mish, tanh, identity"),
    BadKey("only_cross_attention", [true], "[true], it must be true, false or a list of 3 of them, one a level"),
    BadKey("mid_block_type", "MidBlock", "\"MidBlock\", it must be UNetMidBlock2DCrossAttn, UNetMidBlock2D or null"),
    BadKey("class_embed_type", "identity", "\"identity\", it must be null, \"timestep\" or \"projection\""),
    BadKey("num_class_embeds", 10, "10, it must be null: this model's kind is not supported"),
    BadKey("addition_embed_type", "image", "\"image\", it must be \"text\" (others are not supported)"),
    BadKey("addition_embed_type_num_heads", 5, "5, it must be a divisor of cross_attention_dim"),
    BadKey("dual_cross_attention", true, "true, it must be false (others are not supported)"),
    BadKey("conv_in_kernel", 5, "5, it must be 3 (others are not supported)"),
    BadKey(
        "resnet_time_scale_shift", "ada_group",
        "\"ada_group\", it must be \"default\" or \"scale_shift\" (others are not supported)"),
    BadKey("norm_eps", -1, "-1, it must be a number from 0.0 to 1.0"),
    BadKey("guidance_embed_dim", 0, whole("0")),
    BadKey("guidance_scale_range", [3, 1], "[3, 1], it must be a list of two numbers, the lower first"),
    BadKey("guidance_scale_range", [1], "[1], it must be a list of two numbers, the lower first"),
    BadKey("guidance_scale_default", 31, "31, it must be a number from 1.0 to 30.0"),
]

private let autoencoderKeys: [BadKey] = [
    BadKey(
        "_class_name", "AutoencoderKL",
        "\"AutoencoderKL\", it must be \"AutoencoderTiny\" or \"SkipAutoencoder\" (others are not supported)"),
    BadKey("encoder_block_out_channels", [4, 0, 8], "[4, 0, 8], it must be a list of whole numbers from 1 to 65536"),
    BadKey("num_encoder_blocks", [1], "[1], it must be a list of 3, one a level"),
    BadKey("num_decoder_blocks", [1, 1, 2, 1], "[1, 1, 2, 1], it must be a list of 3, one a level"),
    BadKey(
        "encoder_block_out_channels", Array(repeating: 4, count: 65),
        "[\(Array(repeating: "4", count: 65).joined(separator: ", "))], it must be a list of at most 8, one a level"),
    BadKey("patch_size", 0, whole("0", "1 to 16")), BadKey("latent_channels", 0, whole("0")),
    BadKey("upsampling_scaling_factor", 3, "3, it must be 2: skips join levels that the encoder halved"),
    BadKey("image_latents_scaling_factor", 0, "0, it must be a number from 0.0001 to 10000.0"),
    BadKey("skip_connections", "yes", "\"yes\", it must be true or false"),
    BadKey("upsample_fn", "bilinear", "\"bilinear\", it must be \"nearest\" (others are not supported)"),
]

private let textKeys: [BadKey] = [
    BadKey("num_attention_heads", 3, "3, it must be a divisor of hidden_size"),
    BadKey("num_attention_heads", 0, whole("0")), BadKey("hidden_size", 0, whole("0")),
    BadKey("vocab_size", 0, whole("0", "1 to 10000000")), BadKey("max_position_embeddings", 0, whole("0")),
    BadKey("hidden_act", "snake", "\"snake\", it must be one of quick_gelu, gelu, silu, relu"),
]

/// Inputs of `model run` that do not fit the model.
@Suite struct PartInputTests {
    private func run(_ fixture: String, _ part: PartRunner.Part, _ inputs: [NamedTensor]) throws -> String? {
        let folder = TemporaryFolder()
        let path = folder.file("in.safetensors")
        try writeSafeTensors(inputs, to: path)
        let runner = try PartRunner(ModelFolder(path: "\(fixtureFolder)/\(fixture)"), pool: ParityTests.pool)
        return sentence { _ = try runner.run(part, inputs: TensorStore(file: path)) }?.replacing(path, with: "IN")
    }

    private func tensor(_ name: String, _ shape: [Int], _ value: Float = 0.5) -> NamedTensor {
        NamedTensor(name: name, shape: shape, values: Array(repeating: value, count: shape.reduce(1, *)))
    }

    /// `sample`, `timestep` and `encoder_hidden_states`, some replaced.
    private func unet(_ changes: NamedTensor..., without missing: String? = nil) throws -> String? {
        var inputs = [
            "sample": tensor("sample", [1, 8, 3, 5]), "timestep": tensor("timestep", []),
            "encoder_hidden_states": tensor("encoder_hidden_states", [1, 7, 12]),
        ]
        for change in changes { inputs[change.name] = change }
        if let missing { inputs[missing] = nil }
        return try run("unet-instruct-pix2pix", .unet, inputs.keys.sorted().compactMap { inputs[$0] })
    }

    @Test func unetInputs() throws {
        #expect(try unet() == nil)
        #expect(try unet(tensor("sample", [1, 8, 1, 1])) == nil, "one pixel is enough for padded levels")
        let sample = "it should be [batch, 8, height, width]"
        #expect(try unet(without: "sample") == "IN: the input sample is missing; \(sample)")
        for shape in [[8, 3, 5], [1, 4, 3, 5], [0, 8, 3, 5], [1, 8, 0, 5], [1, 1, 8, 3, 5]] {
            #expect(try unet(tensor("sample", shape)) == "IN: sample has the shape \(shape), \(sample)")
        }
        for shape in [[2], [1, 1], [0]] {
            #expect(
                try unet(tensor("timestep", shape))
                    == "IN: timestep has the shape \(shape), it should be a number or [1]")
        }
        for shape in [[1, 0, 12], [2, 7, 12], [1, 7, 13], [7, 12]] {
            #expect(
                try unet(tensor("encoder_hidden_states", shape))
                    == "IN: encoder_hidden_states has the shape \(shape), it should be [1, length, 12]")
        }
        #expect(try unet(tensor("timestep", [], .nan)) == nil, "a NaN gives NaNs, not a crash")
    }

    @Test func sampleTooSmallForUnpaddedLevels() throws {
        let inputs = [
            tensor("sample", [1, 4, 3, 1]), tensor("timestep", []), tensor("encoder_hidden_states", [1, 7, 12]),
        ]
        let seen = try #require(try run("unet-downsample-padding-0", .unet, inputs))
        #expect(seen.hasPrefix("sample is 1x3; this UNet takes at least 4x4"), "\(seen)")
    }

    @Test func tokens() throws {
        let wanted = "it should be [batch, length] with a length of at most 77"
        func text(_ shape: [Int], _ value: Float = 1) throws -> String? {
            try run("text-77", .textEncoder, [tensor("input_ids", shape, value)])
        }
        #expect(try text([2, 77]) == nil && text([1, 1], 59) == nil)
        for shape in [[1, 78], [1, 0], [0, 4], [4]] {
            #expect(try text(shape) == "IN: input_ids has the shape \(shape), \(wanted)")
        }
        for bad in [-1, 60, 0.5, .infinity, 9.3e18] as [Float] {
            #expect(try text([1, 4], bad) == "IN: input_ids holds \(bad), it must hold whole numbers from 0 to 59")
        }
        #expect(try text([1, 4], .nan) == "IN: input_ids holds nan, it must hold whole numbers from 0 to 59")
    }

    @Test func encoderSizes() throws {
        #expect(
            try run("whole-editor", .encoder, [tensor("sample", [1, 3, 64, 63])])
                == "sample is 63x64; both must be multiples of 2")
        #expect(try run("whole-editor", .encoder, [tensor("sample", [1, 3, 2, 2])]) == nil)
    }

    @Test func decoderFeatures() throws {
        func decode(_ changes: NamedTensor..., sample: [Int] = [1, 4, 2, 3]) throws -> String? {
            var inputs = [
                "sample": tensor("sample", sample), "conditioning": tensor("conditioning", [sample[0], 16]),
                "features.0": tensor("features.0", [1, 12, 8, 12]), "features.1": tensor("features.1", [1, 4, 8, 12]),
                "features.2": tensor("features.2", [1, 6, 4, 6]), "features.3": tensor("features.3", [1, 8, 2, 3]),
            ]
            for change in changes { inputs[change.name] = change }
            return try run("whole-editor", .decoder, inputs.keys.sorted().compactMap { inputs[$0] })
        }
        #expect(try decode() == nil)
        #expect(
            try decode(tensor("features.0", [1, 12, 8, 11]))
                == "features.0 is 11x8 in a batch of 1, for this sample it must be 12x8 in a batch of 1")
        #expect(
            try decode(tensor("features.2", [1, 6, 2, 3]))
                == "features.2 is 3x2 in a batch of 1, for this sample it must be 6x4 in a batch of 1")
        #expect(
            try decode(sample: [2, 4, 2, 3])
                == "features.0 is 12x8 in a batch of 1, for this sample it must be 12x8 in a batch of 2")
        #expect(
            try decode(tensor("features.1", [1, 5, 8, 12]))
                == "IN: features.1 has the shape [1, 5, 8, 12], it should be [batch, 4, height, width]")
        #expect(
            try decode(tensor("conditioning", [1, 15]))
                == "IN: conditioning has the shape [1, 15], it should be [1, 16]")
    }
}
