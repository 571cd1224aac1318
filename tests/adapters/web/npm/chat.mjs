// OpenAI's own client and Vercel's AI SDK against the base URL in argv; prints one JSON object of what they got.
import OpenAI from "openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, generateText, streamText, tool } from "ai";
import { z } from "zod";

const [url] = process.argv.slice(2);
const got = {};
const messages = [{ role: "user", content: "Hello you" }];
const weather = {
  type: "function",
  function: {
    name: "weather",
    description: "The weather of a place",
    parameters: { type: "object", properties: { place: { type: "string" } }, required: ["place"] },
  },
};

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none needed", maxRetries: 0 });
const chat = (options) => client.chat.completions.create({ model: "hearthbot", messages, ...options });
got.models = (await client.models.list()).data.map((each) => each.id);
got.whole = (await chat({})).choices[0].message.content;
got.stream = "";
for await (const chunk of await chat({ stream: true, stream_options: { include_usage: true } })) {
  got.stream += chunk.choices[0]?.delta.content ?? "";
  got.usage = chunk.usage ?? null;
}
for (const choice of ["auto", "required", { type: "function", function: { name: "weather" } }]) {
  const answer = await chat({ tools: [weather], tool_choice: choice });
  (got.tools ??= []).push(answer.choices[0].message.tool_calls[0].function);
}
got.none = (await chat({ tools: [weather], tool_choice: "none" })).choices[0].message.content;
const schema = { type: "object", properties: { a: { type: "integer" } }, required: ["a"], additionalProperties: false };
const response_format = { type: "json_schema", json_schema: { name: "a", strict: true, schema } };
got.json = JSON.parse((await chat({ response_format })).choices[0].message.content);
try {
  await chat({ temperature: 9 });
} catch (error) {
  got.error = [error.constructor.name, error.status, error.param];
}
try {
  await chat({});
} catch (error) {
  got.full = [error.constructor.name, error.code];
}
got.responses = (await client.responses.create({ model: "hearthbot", input: "Hello you" })).output_text;

const model = createOpenAICompatible({ name: "hearthbot", baseURL: `${url}/v1`, supportsStructuredOutputs: true })("hearthbot");
got.sdk = {};
const whole = await generateText({ model, prompt: "Hello you" });
got.sdk.whole = [whole.reasoningText, whole.text, whole.usage.outputTokens];
const stream = streamText({ model, prompt: "Hello you" });
got.sdk.stream = "";
for await (const piece of stream.textStream) got.sdk.stream += piece;
got.sdk.finish = await stream.finishReason;
const tools = {
  weather: tool({ description: "The weather of a place", inputSchema: z.object({ place: z.string() }) }),
};
for (const toolChoice of ["auto", "required", { type: "tool", toolName: "weather" }]) {
  const called = await generateText({ model, prompt: "Hello you", tools, toolChoice });
  (got.sdk.tools ??= []).push(called.toolCalls.map(({ toolName, input }) => [toolName, input]));
}
got.sdk.none = (await generateText({ model, prompt: "Hello you", tools, toolChoice: "none" })).text;
got.sdk.json = (await generateObject({ model, prompt: "Hello you", schema: z.object({ a: z.number().int() }) })).object;
try {
  await generateText({ model, prompt: "Hello you", temperature: 9, maxRetries: 0 });
} catch (error) {
  got.sdk.error = [error.name, error.statusCode];
}
console.log(JSON.stringify(got));
