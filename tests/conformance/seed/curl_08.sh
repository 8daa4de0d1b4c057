curl -X POST https://cn-shanghai-alicloud-aimesh.api.clickzetta.com/gateway/api/v3/contents/generations/tasks \
  -H "Authorization: Bearer $API_KEY" \
  -H "Content-Type: application/json" \
  -d '{ "model": "doubao-seedance-2.0", "content": [ { "type": "text", "text": "生成一段 5 秒视频:数据流在城市夜景中汇聚成智能中枢。" } ] }'
