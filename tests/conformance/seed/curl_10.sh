curl -X POST https://cn-shanghai-alicloud-aimesh.api.clickzetta.com/gateway/api/v3/contents/generations/tasks \
  -H "Authorization: Bearer $API_KEY" \
  -H "Content-Type: application/json" \
  -d '{ "model": "doubao-seed3d-2.0", "content": [ { "type": "text", "text": "生成一个低多边形风格的科技感机器人 3D 模型。" } ] }'
