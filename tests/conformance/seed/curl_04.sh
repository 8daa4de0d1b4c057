curl -X POST https://cn-shanghai-alicloud-aimesh.api.clickzetta.com/gateway/v1/embeddings \
  -H "Authorization: Bearer $API_KEY" \
  -H "Content-Type: application/json" \
  -d '{ "model": "qwen/text-embedding-v4", "input": "AI Gateway 可以统一管理模型调用、路由和用量统计。", "encoding_format": "float" }'
