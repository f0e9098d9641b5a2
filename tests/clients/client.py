"""Python grpcio against a running server: client.py ADDRESS. Prints `python ok` when everything holds."""

import sys

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from heelorigin.v1 import assessment_pb2, knowledge_service_pb2, knowledge_service_pb2_grpc
from heelorigin.v1 import score_pb2, scoring_service_pb2, scoring_service_pb2_grpc


def request(*findings, **fields):
    assessment = assessment_pb2.Assessment(findings=findings, **fields)
    return scoring_service_pb2.ScoreFindingsRequest(assessment=assessment)


def yes(finding_id):
    return assessment_pb2.Finding(id=finding_id, present=True)


def refused(call, message, code):
    """The google.rpc.Status of a call that is refused with this code."""
    try:
        call(message, timeout=10)
    except grpc.RpcError as error:
        assert error.code() == code, error
        return rpc_status.from_call(error)
    raise AssertionError(f"not refused: {code}")


def details(status):
    bad, info = error_details_pb2.BadRequest(), error_details_pb2.ErrorInfo()
    for detail in status.details:
        detail.Unpack(bad) or detail.Unpack(info)
    return bad, info


with grpc.insecure_channel(sys.argv[1]) as channel:
    scoring = scoring_service_pb2_grpc.ScoringServiceStub(channel)
    knowledge = knowledge_service_pb2_grpc.KnowledgeServiceStub(channel)

    tunnel = [yes("tinel_tarsal_tunnel"), yes("dorsiflexion_eversion_test"), yes("burning_pain"), yes("foot_paraesthesia")]
    answer = scoring.ScoreFindings(request(*tunnel), timeout=10)
    assert answer.origins[0].origin == score_pb2.ORIGIN_PERIPHERAL_NERVE
    assert abs(sum(origin.weight for origin in answer.origins) + answer.unexplained - 1) < 1e-9

    raw = channel.unary_unary("/heelorigin.v1.ScoringService/ScoreFindings")
    sent = request(yes("slump_test")).SerializeToString()
    assert raw(sent, timeout=10) == raw(sent, timeout=10), "the same request gives the same bytes"

    # 256 faults: the trailers stay small enough for this client, and say how many were left out.
    many = request(*(yes(f"canary_finding_{number}") for number in range(256)))
    bad, info = details(refused(scoring.ScoreFindings, many, grpc.StatusCode.INVALID_ARGUMENT))
    assert bad.field_violations[0].field == "assessment.findings[0].id"
    assert bad.field_violations[0].reason == "UNKNOWN_FINDING"
    assert info.domain == "heelorigin.v1"
    left_out = int(info.metadata["violations_omitted"])
    assert len(bad.field_violations) + left_out == 256, left_out

    refused(scoring.ScoreFindings, request(patient=assessment_pb2.Patient(age_years=17)), grpc.StatusCode.FAILED_PRECONDITION)
    huge = request(yes("x" * (1 << 20)))
    try:
        scoring.ScoreFindings(huge, timeout=10)
        raise AssertionError("a 1 MiB message was taken")
    except grpc.RpcError as error:
        assert error.code() in (grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.RESOURCE_EXHAUSTED), error

    seen, token = [], ""
    while True:
        page = knowledge.ListFindings(knowledge_service_pb2.ListFindingsRequest(page_size=50, page_token=token))
        seen += [finding.id for finding in page.findings]
        token = page.next_page_token
        if not token:
            break
    assert len(seen) == len(set(seen)) and "slump_test" in seen and "diabetes" in seen

print("python ok")
