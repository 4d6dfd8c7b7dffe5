// Runs a network as its authors publish it: face-api's own JavaScript, on TensorFlow.js's plain CPU backend.
//
//   node source_network.mjs LIBRARY MODEL_FOLDER NETWORK IMAGES COUNT SIZE OUTPUT
//
// IMAGES holds COUNT x SIZE x SIZE pictures of one or three channels, float32 little endian; OUTPUT receives the network's output alike.
// NETWORK is a class of face-api, or a graph model of human, which is run up to the value named below.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [library, folder, network, imagesPath, count, size, outputPath] = process.argv.slice(2);

// The library's build for browsers is the only one that needs no other package; it must not take itself for one
// inside Node, for which it would ask for Node's modules.
Object.defineProperty(process, "versions", { value: {} });
const faceapi = await import(pathToFileURL(library));
const { tf } = faceapi;
tf.env().setPlatform("plain", {
  now: () => performance.now(),
  encode: (text) => new TextEncoder().encode(text),
  decode: (bytes) => new TextDecoder().decode(bytes),
  isTypedArray: ArrayBuffer.isView,
});
await tf.setBackend("cpu");

const readJson = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const readBuffer = (path) => {
  const bytes = readFileSync(path);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
};
const values = new Float32Array(readBuffer(imagesPath));
const channels = values.length / (count * size * size);
const images = tf.tensor4d(values, [Number(count), Number(size), Number(size), channels]);

const outputsOfHuman = {
  faceres: "global_pooling/Mean",
  emotion: "StatefulPartitionedCall/model_1/add_2/add",
  facemesh: "StatefulPartitionedCall/model_1/p_re_lu_15/Relu",
  iris: "StatefulPartitionedCall/model/concatenate_eyes_contours_and_brows_and_iris/concat",
};

async function runHuman() {
  const { modelTopology, weightsManifest } = readJson(`${network}.json`);
  const weightSpecs = weightsManifest.flatMap((group) => group.weights);
  const weightData = readBuffer(join(folder, `${network}.bin`));
  const model = await tf.loadGraphModel({ load: async () => ({ modelTopology, weightSpecs, weightData }) });
  return model.execute(images, outputsOfHuman[network]);
}

function runFaceApi() {
  const net = new faceapi[network]();
  const [{ paths, weights }] = readJson(`${net.getDefaultModelName()}-weights_manifest.json`);
  net.loadFromWeightMap(tf.io.decodeWeights(readBuffer(join(folder, paths[0])), weights));
  return net.forwardInput(new faceapi.NetInput(tf.unstack(images)));
}

const output = network in outputsOfHuman ? await runHuman() : runFaceApi();
writeFileSync(outputPath, Buffer.from(output.dataSync().buffer));
