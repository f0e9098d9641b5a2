// Node grpc-js against a running server: client.js ADDRESS. Prints `node ok` when everything holds.
const assert = require('node:assert');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const protos = path.join(__dirname, '../../proto');
const definition = loader.loadSync(
  ['heelorigin/v1/scoring_service.proto', 'heelorigin/v1/knowledge_service.proto'],
  { includeDirs: [protos], keepCase: true, enums: String },
);
const { heelorigin } = grpc.loadPackageDefinition(definition);
const credentials = grpc.credentials.createInsecure();
const scoring = new heelorigin.v1.ScoringService(process.argv[2], credentials);
const knowledge = new heelorigin.v1.KnowledgeService(process.argv[2], credentials);

const call = (client, method, request) =>
  new Promise((resolve, reject) => {
    const deadline = new Date(Date.now() + 10_000);
    client[method](request, { deadline }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });

(async () => {
  const findings = [
    { id: 'first_step_pain', present: true },
    { id: 'medial_calcaneal_tubercle_tenderness', present: true },
  ];
  const answer = await call(scoring, 'ScoreFindings', { assessment: { findings } });
  assert.strictEqual(answer.origins[0].origin, 'ORIGIN_LOCAL');

  const bad = { assessment: { findings: [{ id: 'slump_test' }], setting: 'canary' } };
  await assert.rejects(call(scoring, 'ScoreFindings', bad), (error) => {
    assert.strictEqual(error.code, grpc.status.INVALID_ARGUMENT);
    assert.ok(error.metadata.get('grpc-status-details-bin').length > 0);
    return true;
  });

  const { condition } = await call(knowledge, 'GetCondition', { id: 'sciatica' });
  assert.strictEqual(condition.origin, 'ORIGIN_SPINAL');
  console.log('node ok');
})()
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => {
    scoring.close();
    knowledge.close();
  });
